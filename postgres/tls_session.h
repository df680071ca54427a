// The socket of a bare TLS handshake, its alarm, and what went wrong on it. Internal to
// tls_handshake. I/O thread only.
#pragma once

#include <openssl/types.h>

#include <asio/any_io_executor.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "postgres/connection.h"
#include "postgres/error.h"

namespace pgconn::postgres {

// A socket, TLS on it that accepts every certificate, and the alarm that closes it. Owned by shared
// pointers: a pending alarm holds it, so close() it at the end.
class TlsSession : public std::enable_shared_from_this<TlsSession> {
 public:
  explicit TlsSession(const asio::any_io_executor& executor);

  asio::ip::tcp::socket& socket() { return stream.next_layer(); }
  SSL* ssl() { return stream.native_handle(); }

  // Closes the socket at `deadline`, which ends whatever waits on it. Replaces an earlier alarm.
  void arm(Deadline deadline);
  bool late() const { return late_; }  // the alarm went off
  void close();

  asio::ssl::stream<asio::ip::tcp::socket> stream;

 private:
  void close_socket();

  asio::steady_timer timer_;
  std::uint64_t turn_ = 0;
  bool late_ = false;
};

PgError tls_failure(Phase phase, Reason reason, const std::string& message);

// What ended a step: our own alarm, or what the system or OpenSSL said.
PgError tls_failure(const TlsSession& session, Phase phase, const std::string& step,
                    const asio::error_code& error);

}  // namespace pgconn::postgres
