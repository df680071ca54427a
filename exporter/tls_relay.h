// One connection of a TLS client: the handshake, then its bytes to the HTTP server on loopback and
// the answer back. Holds 16 KiB of either direction, no more: who does not read is not read for.
// Every wait has a deadline, but that for the answer: the HTTP server has one of its own.
// Internal to tls_listener; its thread only.
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "exporter/relayed_ports.h"
#include "exporter/tls_context.h"

namespace pgconn::exporter {

struct TlsRelayOptions {
  int inner_port = 0;  // of the HTTP server, on 127.0.0.1
  // For the handshake, and again for the request line and headers, which are at most 16 KiB.
  std::chrono::milliseconds handshake_timeout{5000};
  std::chrono::milliseconds stall_timeout{10000};    // for 16 KiB of the answer to be taken
  std::chrono::milliseconds farewell_timeout{1000};  // for the client to close
  // The handshake failed, by the client's doing or ours.
  std::function<void(const std::string& peer, const std::string& reason)> failed;
};

class TlsRelay : public std::enable_shared_from_this<TlsRelay> {
 public:
  // `options` and `ports` must outlive it.
  TlsRelay(asio::ip::tcp::socket client, std::shared_ptr<TlsContext> context,
           const TlsRelayOptions& options, RelayedPorts& ports);

  // From the handshake to the end. Throws nothing but what a lack of memory throws. close() first
  // or last: it always ends.
  asio::awaitable<void> run();

  // The request's head is whole, and its answer is not yet.
  bool is_answered() const { return is_answered_; }

  void close();

 private:
  using Buffer = std::array<char, 16 * 1024>;

  asio::awaitable<bool> shake_hands();
  asio::awaitable<std::size_t> read_head();
  asio::awaitable<void> explain();
  asio::awaitable<bool> connect_inner();
  asio::awaitable<void> send_request(std::size_t size);
  asio::awaitable<void> send_answer();
  asio::awaitable<void> say_farewell();
  asio::awaitable<void> drain();
  std::string peer() const;
  void arm(std::chrono::milliseconds patience);
  void disarm();
  void leave_inner();

  const std::shared_ptr<TlsContext> context_;
  const TlsRelayOptions& options_;
  RelayedPorts& ports_;
  asio::ssl::stream<asio::ip::tcp::socket> client_;
  asio::ip::tcp::socket inner_;
  int inner_port_ = 0;  // the connection's own
  bool is_answered_ = false;
  asio::steady_timer alarm_;
  std::uint64_t turn_ = 0;  // of the alarm: one that was set anew while it went off is void
  std::unique_ptr<Buffer> request_;
  std::unique_ptr<Buffer> answer_;
};

}  // namespace pgconn::exporter
