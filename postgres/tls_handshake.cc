#include "postgres/tls_handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/error.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>

// GCC 12 inlines Asio's operator new of a coroutine frame, and then takes its operator delete for
// the wrong one.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::postgres {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

constexpr std::array<unsigned char, 8> kSslRequest = {0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};
constexpr std::array<unsigned char, 11> kAlpn = {10,  'p', 'o', 's', 't', 'g',
                                                 'r', 'e', 's', 'q', 'l'};
constexpr long kMaxChainBytes = 100L * 1024;  // OpenSSL's own default, and so libpq's
constexpr auto kFarewell = std::chrono::milliseconds(500);

// Takes every chain unseen: verifying it is another's work, and must not end the handshake.
int accept_any_chain(X509_STORE_CTX* context, void*) noexcept {
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

// One context for all handshakes: it is never changed after this, and costs 100 KB each.
asio::ssl::context& any_server() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    SSL_CTX* const raw = made.native_handle();
    // Nothing secret will be sent, so what the strictness of this machine's OpenSSL would refuse
    // (weak keys, old versions, no secure renegotiation) is shaken hands with and then reported.
    SSL_CTX_set_security_level(raw, 0);
    SSL_CTX_set_min_proto_version(raw, TLS1_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET);
    SSL_CTX_set_max_cert_list(raw, kMaxChainBytes);
    SSL_CTX_set_cert_verify_callback(raw, accept_any_chain, nullptr);
    return made;
  }();
  return context;
}

// A socket, TLS on it, and the alarm that closes it.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(const asio::any_io_executor& executor)
      : stream(executor, any_server()), timer_(executor) {}

  tcp::socket& socket() { return stream.next_layer(); }
  SSL* ssl() { return stream.native_handle(); }
  bool late() const { return late_; }

  // Closes the socket at `deadline`, which ends whatever waits on it. Replaces an earlier alarm.
  void arm(Deadline deadline) {
    late_ = false;
    timer_.expires_at(deadline);
    timer_.async_wait([self = shared_from_this(), turn = ++turn_](asio::error_code error) {
      if (error || self->turn_ != turn) return;  // a timer may fire after it was replaced
      self->late_ = true;
      self->close_socket();
    });
  }
  void close() {
    ++turn_;
    timer_.cancel();
    close_socket();
  }

  asio::ssl::stream<tcp::socket> stream;

 private:
  void close_socket() {
    asio::error_code ignored;
    (void)socket().close(ignored);
  }

  asio::steady_timer timer_;
  std::uint64_t turn_ = 0;
  bool late_ = false;
};

// The pending alarm holds the session: without this it would live on until the deadline.
class Closing {
 public:
  explicit Closing(Session& session) : session_(session) {}
  ~Closing() { session_.close(); }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

 private:
  Session& session_;
};

PgError failure(Phase phase, Reason reason, const std::string& message) {
  return PgError(phase, reason, "", message, true);
}

Reason reason_of(const asio::error_code& error, Phase phase) {
  if (error == asio::error::operation_aborted) return Reason::kStopped;
  if (error == asio::error::connection_refused) return Reason::kRefused;
  if (error == asio::error::timed_out) return Reason::kTimeout;
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return Reason::kReset;
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return Reason::kClosed;
  }
  if (error.category() == asio::error::get_ssl_category()) return Reason::kTls;
  return phase == Phase::kTcp ? Reason::kUnreachable : Reason::kReset;
}

// What ended a step: our own alarm, or what the system or OpenSSL said.
PgError failure(const Session& session, Phase phase, const std::string& step,
                const asio::error_code& error) {
  if (session.late()) return failure(phase, Reason::kTimeout, step + ": no answer in time");
  const Reason reason = reason_of(error, phase);
  if (reason == Reason::kClosed) {
    return failure(phase, reason, step + ": the server closed the connection");
  }
  return failure(phase, reason, step + ": " + error.message());
}

std::uint16_t port_of(const Endpoint& endpoint) {
  const std::string& text = endpoint.port;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    throw failure(Phase::kConfig, Reason::kConfig, "invalid port number \"" + text + "\"");
  }
  return port;
}

bool is_address(const std::string& host) {
  asio::error_code error;
  (void)asio::ip::make_address(host, error);
  return !error;
}

// Tries one address after the other, each with its share of the time: one that swallows packets
// must not cost the others theirs. Returns the one connected to; the last failure counts.
asio::awaitable<std::string> connect_tcp(Session& session, std::vector<std::string> addresses,
                                         std::uint16_t port, Deadline deadline) {
  std::optional<PgError> last;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto left = static_cast<Clock::rep>(addresses.size() - i);
    const Clock::time_point now = Clock::now();
    asio::error_code error;
    const asio::ip::address address = asio::ip::make_address(addresses[i], error);
    if (!error) {
      session.arm(now + (deadline - now) / left);
      const tcp::endpoint peer(address, port);
      co_await session.socket().async_connect(peer,
                                              asio::redirect_error(asio::use_awaitable, error));
    }
    // The alarm may have gone off between the connection and this line.
    if (!error && session.socket().is_open()) {
      // Else the close_notify would wait 40 ms for the server's delayed acknowledgment.
      asio::error_code ignored;
      (void)session.socket().set_option(tcp::no_delay(true), ignored);
      co_return addresses[i];
    }
    const std::string step = "connecting to " + addresses[i] + " port " + std::to_string(port);
    last = failure(session, Phase::kTcp, step, error);
    if (last->reason() == Reason::kStopped) break;
    session.close();
  }
  if (last) throw *last;
  throw failure(Phase::kResolve, Reason::kResolve, "the host has no address");
}

// SSLRequest and its answer of exactly one byte: what comes before the handshake is plain text that
// anybody on the path may have added, and TLS must begin behind it.
asio::awaitable<void> request_tls(Session& session) {
  asio::error_code error;
  co_await asio::async_write(session.socket(), asio::buffer(kSslRequest),
                             asio::redirect_error(asio::use_awaitable, error));
  char answer = 0;
  if (!error) {
    co_await session.socket().async_read_some(asio::buffer(&answer, 1),
                                              asio::redirect_error(asio::use_awaitable, error));
  }
  if (error) throw failure(session, Phase::kTls, "asking for TLS", error);
  switch (answer) {
    case 'S':
      break;
    case 'N':
      throw failure(Phase::kTls, Reason::kTlsUnsupported, "the server does not offer TLS");
    case 'E':
      throw failure(Phase::kTls, Reason::kServerError,
                    "the server answered the request for TLS with an error");
    default:
      throw failure(Phase::kTls, Reason::kProtocol,
                    "the peer does not answer a request for TLS as PostgreSQL does");
  }
  if (session.socket().available(error) > 0) {
    throw failure(Phase::kTls, Reason::kProtocol,
                  "the peer sent plain text between its answer to the request for TLS and TLS");
  }
}

// How the certificates are worded as bytes; those past the bound are left out.
std::vector<std::string> presented_chain(const SSL* ssl) {
  std::vector<std::string> chain;
  const STACK_OF(X509)* const certificates = SSL_get_peer_cert_chain(ssl);
  const int count = certificates == nullptr ? 0 : sk_X509_num(certificates);
  for (int i = 0; i < count && chain.size() < kMaxPresentedCertificates; ++i) {
    const X509* const certificate = sk_X509_value(certificates, i);
    const int size = i2d_X509(certificate, nullptr);
    if (size <= 0) continue;
    std::string der(static_cast<std::size_t>(size), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(certificate, &out);
    chain.push_back(std::move(der));
  }
  return chain;
}

bool chose_postgresql(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl, &name, &length);
  return std::equal(name, name + length, kAlpn.begin() + 1, kAlpn.end());
}

void prepare(SSL* ssl, const std::string& host, TlsStart start) {
  // RFC 6066 knows names only, and those without the dot of the root.
  std::string name = host;
  if (name.ends_with('.')) name.pop_back();
  if (!name.empty() && !is_address(name)) SSL_set_tlsext_host_name(ssl, name.c_str());
  if (start == TlsStart::kDirect) SSL_set_alpn_protos(ssl, kAlpn.data(), kAlpn.size());
  ERR_clear_error();
}

// The handshake itself. Fills in what was seen, and `failure` if that was not all.
asio::awaitable<void> shake_hands(Session& session, TlsStart start, TlsHandshake& seen) {
  const bool direct = start == TlsStart::kDirect;
  asio::error_code error;
  co_await session.stream.async_handshake(asio::ssl::stream_base::client,
                                          asio::redirect_error(asio::use_awaitable, error));
  seen.chain = presented_chain(session.ssl());
  ERR_clear_error();
  if (error) {
    const std::string step =
        direct ? "direct TLS handshake (PostgreSQL 17 and later take it)" : "TLS handshake";
    seen.failure = failure(session, Phase::kTls, step, error);
    co_return;
  }
  seen.version = SSL_get_version(session.ssl());
  seen.cipher = SSL_get_cipher_name(session.ssl());
  if (direct && !chose_postgresql(session.ssl())) {
    seen.failure = failure(Phase::kTls, Reason::kProtocol,
                           "direct TLS reached a server that does not know ALPN \"postgresql\"");
  }
}

// What follows once the socket is connected. Throws if no certificate was seen.
asio::awaitable<void> see_certificates(Session& session, const std::string& host, TlsStart start,
                                       TlsHandshake& seen) {
  prepare(session.ssl(), host, start);
  if (start == TlsStart::kRequest) co_await request_tls(session);
  co_await shake_hands(session, start, seen);
  if (seen.failure && seen.failure->reason() == Reason::kStopped) throw *seen.failure;
  if (!seen.chain.empty()) co_return;
  if (seen.failure) throw *seen.failure;
  throw failure(Phase::kTls, Reason::kTls, "the server showed no certificate");
}

// Waiting for the other side's close keeps its log free of a reset.
asio::awaitable<void> say_farewell(Session& session, Deadline deadline) {
  session.arm(std::min(deadline, Clock::now() + kFarewell));
  asio::error_code ignored;
  co_await session.stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

asio::awaitable<TlsHandshake> tls_handshake(asio::any_io_executor executor, Resolver& resolver,
                                            Endpoint endpoint, TlsStart start, Deadline deadline) {
  if (endpoint.is_unix_socket()) {
    throw failure(Phase::kTls, Reason::kTlsUnsupported, "there is no TLS on a Unix socket");
  }
  const std::uint16_t port = port_of(endpoint);
  const Clock::time_point begin = Clock::now();
  TlsHandshake seen;
  std::vector<std::string> addresses{endpoint.hostaddr};
  if (endpoint.hostaddr.empty()) {
    addresses = co_await resolver.resolve(endpoint.host, deadline);
    seen.timings.resolve = Clock::now() - begin;
  }

  const auto session = std::make_shared<Session>(executor);
  const Closing closing(*session);
  const Clock::time_point resolved = Clock::now();
  seen.address = co_await connect_tcp(*session, std::move(addresses), port, deadline);
  const Clock::time_point connected = Clock::now();
  seen.timings.tcp = connected - resolved;

  session->arm(deadline);
  co_await see_certificates(*session, endpoint.host, start, seen);
  const Clock::time_point end = Clock::now();
  seen.timings.tls = end - connected;
  seen.timings.total = end - begin;
  const bool finished = !seen.version.empty();
  if (finished) co_await say_farewell(*session, deadline);
  co_return seen;
}

}  // namespace pgconn::postgres
