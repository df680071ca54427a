#include "postgres/tls_session.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <asio/ssl/error.hpp>

namespace pgconn::postgres {
namespace {

constexpr long kMaxChainBytes = 100L * 1024;  // OpenSSL's own default, and so libpq's

// Accepts every chain unchecked: it is verified elsewhere, and must not end the handshake.
int accept_any_chain(X509_STORE_CTX* context, void*) noexcept {
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

// One context for all handshakes: it is never changed after this, and costs 100 KB each.
asio::ssl::context& any_server() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    SSL_CTX* const raw = made.native_handle();
    // Nothing secret will be sent, so a handshake that this machine's OpenSSL policy would refuse
    // (weak keys, old versions, no secure renegotiation) is completed and then reported.
    SSL_CTX_set_security_level(raw, 0);
    SSL_CTX_set_min_proto_version(raw, TLS1_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET);
    SSL_CTX_set_max_cert_list(raw, kMaxChainBytes);
    SSL_CTX_set_cert_verify_callback(raw, accept_any_chain, nullptr);
    return made;
  }();
  return context;
}

Reason reason_of(const asio::error_code& error, Phase phase) {
  if (error == asio::error::operation_aborted) return Reason::kStopped;
  if (error == asio::error::connection_refused) return Reason::kRefused;
  if (error == asio::error::timed_out) return Reason::kTimeout;
  if (error == asio::error::no_descriptors || error == std::errc::too_many_files_open_in_system) {
    return Reason::kOpenFiles;
  }
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return Reason::kReset;
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return Reason::kClosed;
  }
  if (error.category() == asio::error::get_ssl_category()) return Reason::kTls;
  return phase == Phase::kTcp ? Reason::kUnreachable : Reason::kReset;
}

}  // namespace

TlsSession::TlsSession(const asio::any_io_executor& executor)
    : stream(executor, any_server()), timer_(executor) {}

void TlsSession::arm(Deadline deadline) {
  late_ = false;
  timer_.expires_at(deadline);
  timer_.async_wait([self = shared_from_this(), turn = ++turn_](asio::error_code error) {
    if (error || self->turn_ != turn) return;  // a timer may fire after it was replaced
    self->late_ = true;
    self->close_socket();
  });
}

void TlsSession::close() {
  ++turn_;
  timer_.cancel();
  close_socket();
}

void TlsSession::close_socket() {
  asio::error_code ignored;
  (void)socket().close(ignored);
}

PgError tls_failure(Phase phase, Reason reason, const std::string& message) {
  return PgError(phase, reason, "", message, true);
}

PgError tls_failure(const TlsSession& session, Phase phase, const std::string& step,
                    const asio::error_code& error) {
  if (session.late()) return tls_failure(phase, Reason::kTimeout, step + ": no answer in time");
  const Reason reason = reason_of(error, phase);
  if (reason == Reason::kClosed) {
    return tls_failure(phase, reason, step + ": the server closed the connection");
  }
  return tls_failure(phase, reason, step + ": " + error.message());
}

}  // namespace pgconn::postgres
