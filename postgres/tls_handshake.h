// A TLS handshake with a PostgreSQL server and nothing more: no startup packet, no credentials, no
// session. It reads the certificates that a server shows, whatever they are worth: nothing is
// verified here, so that an expired or foreign chain is read like a good one. I/O thread only;
// every wait has the deadline, nothing blocks. The result is a value.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "postgres/connection.h"
#include "postgres/conninfo.h"
#include "postgres/error.h"
#include "postgres/resolver.h"

namespace pgconn::postgres {

// How TLS begins.
enum class TlsStart {
  kRequest,  // SSLRequest in plain text first; every server and pooler understands it
  kDirect,   // ClientHello at once, ALPN "postgresql": PostgreSQL 17 and later
};

// Certificates of a longer chain are left out.
inline constexpr std::size_t kMaxPresentedCertificates = 16;

struct TlsHandshake {
  std::string address;             // the one connected to, numeric
  std::string version;             // "TLSv1.3"; empty if the handshake was not finished
  std::string cipher;              // OpenSSL's name; empty likewise
  std::vector<std::string> chain;  // DER, as presented, leaf first; never empty
  ConnectTimings timings;          // resolve, tcp, tls (SSLRequest included), total
  // Set when the handshake failed, or ran out of time, after the certificates had been shown:
  // before TLS 1.3, a peer that insists on a client certificate ends it then. Also when a direct
  // handshake reached something that is not PostgreSQL (no ALPN).
  std::optional<PgError> failure;
};

// Does a handshake with the first address of `endpoint` that accepts the connection, then closes
// with a close_notify, waiting half a second at most. Sends the host as SNI unless it is an
// address. Throws PgError, phase resolve, tcp or tls, if no certificate was seen: kTlsUnsupported
// when the server has TLS off (or the endpoint is a Unix socket), kProtocol when the peer does not
// speak PostgreSQL, kClosed, kReset, kTimeout, kTls, and kStopped when the coroutine was cancelled.
// `resolver` must outlive the call.
asio::awaitable<TlsHandshake> tls_handshake(asio::any_io_executor executor, Resolver& resolver,
                                            Endpoint endpoint, TlsStart start, Deadline deadline);

}  // namespace pgconn::postgres
