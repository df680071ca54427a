// One client's connection: the TLS handshake if there is TLS, the request's head, its turn at a
// worker of the HTTP server, the request to that server on loopback, and the answer back. Only a
// complete head is passed to the HTTP server: slow and silent clients hold no worker. Every wait
// has a deadline, except those for the turn and the answer: the HTTP server has one of its own.
// Internal to http_listener; its thread only.
#pragma once

#include <array>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/event.h"
#include "exporter/web/address_turns.h"
#include "exporter/web/relayed_ports.h"
#include "exporter/web/request_head.h"
#include "exporter/web/tls_context.h"

namespace pgconn::exporter {

struct HttpRelayOptions {
  int inner_port = 0;  // of the HTTP server, on 127.0.0.1
  // For the handshake, and again for the head.
  std::chrono::milliseconds head_timeout{5000};
  std::chrono::milliseconds stall_timeout{10000};    // for 16 KiB of the answer to be taken
  std::chrono::milliseconds farewell_timeout{1000};  // for the client to close
  // The handshake failed because of the client.
  std::function<void(const std::string& peer, const std::string& reason)> failed_handshake;
  // A client could not be served because we lack a resource.
  std::function<void(const std::string& reason)> troubled;
  // The raw answer for a client that gets none from the HTTP server.
  std::function<std::string(int status, std::string_view body)> refusal;
};

class HttpRelay : public std::enable_shared_from_this<HttpRelay> {
 public:
  // Without `tls` it is plain HTTP. `options`, `ports` and `workers` must outlive it.
  HttpRelay(asio::ip::tcp::socket client, std::shared_ptr<TlsContext> tls,
            const HttpRelayOptions& options, RelayedPorts& ports, AddressTurns& workers);

  // From the handshake to the end. Throws only for lack of memory. Always ends, whether close() is
  // called before or during it.
  asio::awaitable<void> run();

  // As client_group() names it.
  const std::string& address() const { return address_; }
  enum class Stage {
    kAsking,
    kAnswered,  // the head is complete, the answer is not
    kLeaving,
  };
  Stage stage() const { return stage_; }
  bool is_open() const { return client_.is_open(); }
  // A complete first TLS message has come, which a client that only drips bytes does not send.
  bool speaks_tls();

  void close();

 private:
  using Buffer = std::array<char, 16 * 1024>;
  class WorkersTurn;

  asio::awaitable<bool> shake_hands();
  asio::awaitable<bool> read_head();
  asio::awaitable<void> bring_answer();
  asio::awaitable<void> bring_answer_of_inner();
  asio::awaitable<bool> connect_inner();
  asio::awaitable<void> send_answer();
  asio::awaitable<void> refuse(int status, std::string_view body);
  asio::awaitable<void> watch_client();
  asio::awaitable<void> end_watch();
  asio::awaitable<void> say_farewell();
  asio::awaitable<void> drain();
  asio::awaitable<std::size_t> read(asio::mutable_buffer buffer, asio::error_code& error);
  asio::awaitable<void> write(asio::const_buffer buffer, asio::error_code& error);
  void arm(std::chrono::milliseconds patience, void (HttpRelay::*late)());
  void disarm();
  void stop_reading();
  void leave_client();
  void leave_inner();

  const std::shared_ptr<TlsContext> context_;
  const HttpRelayOptions& options_;
  RelayedPorts& ports_;
  AddressTurns& workers_;
  asio::ip::tcp::socket client_;
  std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls_;
  asio::ip::tcp::socket inner_;
  const std::string address_;
  int inner_port_ = 0;  // the connection's own
  Stage stage_ = Stage::kAsking;
  bool is_late_ = false;    // with its head
  bool has_ended_ = false;  // the client's data. Asio reports it once: a second read would hang
  asio::steady_timer alarm_;
  std::uint64_t alarms_ = 0;  // an alarm that was set again while it went off is void
  async::SystemTime time_;
  async::Event awaited_;     // what run() waits for may have happened
  bool is_watched_ = false;  // the client, by the one read that there may be at a time
  RequestHead head_;
};

}  // namespace pgconn::exporter
