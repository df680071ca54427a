#include "postgres/tls_handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>

#include "postgres/tls_session.h"

// GCC 12 inlines Asio's operator new of a coroutine frame, and then reports its operator delete as
// mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::postgres {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

constexpr std::array<unsigned char, 8> kSslRequest = {0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};
constexpr std::array<unsigned char, 11> kAlpn = {10,  'p', 'o', 's', 't', 'g',
                                                 'r', 'e', 's', 'q', 'l'};
constexpr auto kFarewell = std::chrono::milliseconds(500);

// The pending alarm holds the session: without this it would stay until the deadline.
class Closing {
 public:
  explicit Closing(TlsSession& session) : session_(session) {}
  ~Closing() { session_.close(); }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

 private:
  TlsSession& session_;
};

std::uint16_t port_of(const Endpoint& endpoint) {
  const std::string& text = endpoint.port;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    throw tls_failure(Phase::kConfig, Reason::kConfig, "invalid port number \"" + text + "\"");
  }
  return port;
}

bool is_address(const std::string& host) {
  asio::error_code error;
  (void)asio::ip::make_address(host, error);
  return !error;
}

// Tries one address after another, each with its share of the time: one that swallows packets must
// not use up the others' share. Returns the one connected to; the last failure counts.
asio::awaitable<std::string> connect_tcp(TlsSession& session, std::vector<std::string> addresses,
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
      // Otherwise the close_notify would wait 40 ms for the server's delayed acknowledgment.
      asio::error_code ignored;
      (void)session.socket().set_option(tcp::no_delay(true), ignored);
      co_return addresses[i];
    }
    const std::string step = "connecting to " + addresses[i] + " port " + std::to_string(port);
    last = tls_failure(session, Phase::kTcp, step, error);
    if (last->reason() == Reason::kStopped) break;
    session.close();
  }
  if (last) throw *last;
  throw tls_failure(Phase::kResolve, Reason::kResolve, "the host has no address");
}

// SSLRequest and its answer of exactly one byte: anything before the handshake is plain text that
// anybody on the path may have added, and TLS must begin right after that byte.
asio::awaitable<void> request_tls(TlsSession& session) {
  asio::error_code error;
  co_await asio::async_write(session.socket(), asio::buffer(kSslRequest),
                             asio::redirect_error(asio::use_awaitable, error));
  char answer = 0;
  if (!error) {
    co_await session.socket().async_read_some(asio::buffer(&answer, 1),
                                              asio::redirect_error(asio::use_awaitable, error));
  }
  if (error) throw tls_failure(session, Phase::kTls, "asking for TLS", error);
  switch (answer) {
    case 'S':
      break;
    case 'N':
      throw tls_failure(Phase::kTls, Reason::kTlsUnsupported, "the server does not offer TLS");
    case 'E':
      throw tls_failure(Phase::kTls, Reason::kServerError,
                        "the server answered the request for TLS with an error");
    default:
      throw tls_failure(Phase::kTls, Reason::kProtocol,
                        "the peer does not answer a request for TLS as PostgreSQL does");
  }
  if (session.socket().available(error) > 0) {
    throw tls_failure(
        Phase::kTls, Reason::kProtocol,
        "the peer sent plain text between its answer to the request for TLS and the handshake");
  }
}

// The certificates as bytes; those past the limit are left out.
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
  // RFC 6066 allows only names, without the dot of the root.
  std::string name = host;
  if (name.ends_with('.')) name.pop_back();
  if (!name.empty() && !is_address(name)) SSL_set_tlsext_host_name(ssl, name.c_str());
  if (start == TlsStart::kDirect) SSL_set_alpn_protos(ssl, kAlpn.data(), kAlpn.size());
  ERR_clear_error();
}

// The handshake itself. Fills in what was seen, and `failure` if it was not completed.
asio::awaitable<void> shake_hands(TlsSession& session, TlsStart start, TlsHandshake& seen) {
  const bool direct = start == TlsStart::kDirect;
  asio::error_code error;
  co_await session.stream.async_handshake(asio::ssl::stream_base::client,
                                          asio::redirect_error(asio::use_awaitable, error));
  seen.chain = presented_chain(session.ssl());
  ERR_clear_error();
  if (error) {
    const std::string step =
        direct ? "direct TLS handshake (PostgreSQL 17 and later accept it)" : "TLS handshake";
    seen.failure = tls_failure(session, Phase::kTls, step, error);
    co_return;
  }
  seen.version = SSL_get_version(session.ssl());
  seen.cipher = SSL_get_cipher_name(session.ssl());
  if (direct && !chose_postgresql(session.ssl())) {
    seen.failure =
        tls_failure(Phase::kTls, Reason::kProtocol,
                    "direct TLS reached a server that does not know ALPN \"postgresql\"");
  }
}

// What follows once the socket is connected. Throws if no certificate was seen.
asio::awaitable<void> see_certificates(TlsSession& session, const std::string& host, TlsStart start,
                                       TlsHandshake& seen) {
  prepare(session.ssl(), host, start);
  if (start == TlsStart::kRequest) co_await request_tls(session);
  co_await shake_hands(session, start, seen);
  if (seen.failure && seen.failure->reason() == Reason::kStopped) throw *seen.failure;
  if (!seen.chain.empty()) co_return;
  if (seen.failure) throw *seen.failure;
  throw tls_failure(Phase::kTls, Reason::kTls, "the server showed no certificate");
}

// Waiting for the other side's close keeps its log free of a reset.
asio::awaitable<void> say_farewell(TlsSession& session, Deadline deadline) {
  session.arm(std::min(deadline, Clock::now() + kFarewell));
  asio::error_code ignored;
  co_await session.stream.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

asio::awaitable<TlsHandshake> tls_handshake(asio::any_io_executor executor, Resolver& resolver,
                                            Endpoint endpoint, TlsStart start, Deadline deadline) {
  if (endpoint.is_unix_socket()) {
    throw tls_failure(Phase::kTls, Reason::kTlsUnsupported, "there is no TLS on a Unix socket");
  }
  const std::uint16_t port = port_of(endpoint);
  const Clock::time_point begin = Clock::now();
  TlsHandshake seen;
  std::vector<std::string> addresses{endpoint.hostaddr};
  if (endpoint.hostaddr.empty()) {
    addresses = co_await resolver.resolve(endpoint.host, deadline);
    seen.timings.resolve = Clock::now() - begin;
  }

  const auto session = std::make_shared<TlsSession>(executor);
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
