#include "exporter/diagnosis/examine.h"

#include <asio/this_coro.hpp>
#include <chrono>

#include "exporter/targets/target_settings.h"
#include "postgres/tls_handshake.h"
#include "probes/certificate.h"
#include "probes/certificates/watch.h"

// GCC 12 inlines Asio's operator new of a coroutine frame, and then reports its operator delete as
// mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::exporter {
namespace {

asio::awaitable<void> look_at_certificates(postgres::Resolver& resolver,
                                           const postgres::ConnInfo& conninfo,
                                           postgres::Deadline deadline, Examination& seen) {
  const postgres::Endpoint& first = conninfo.endpoints().front();
  const auto executor = co_await asio::this_coro::executor;
  try {
    const postgres::TlsHandshake handshake = co_await postgres::tls_handshake(
        executor, resolver, first, postgres::TlsStart::kRequest, deadline);
    const std::string host = first.host.empty() ? first.hostaddr : first.host;
    const std::string file = probes::trusted_roots("", conninfo);
    probes::CertificateRoots roots;
    const auto trusted = roots.load(file);
    seen.certificates =
        probes::server_chain_facts(handshake.chain, trusted.store.get(), host, seen.now);
    seen.certificates_wrong =
        probes::wrong_with(*seen.certificates, host, trusted.store ? "" : trusted.error);
  } catch (const postgres::PgError&) {
    // Why the server cannot be reached, the collection has found out.
  }
}

}  // namespace

asio::awaitable<Examination> examine(postgres::Resolver& resolver, config::Target target,
                                     postgres::Deadline deadline) {
  Examination seen;
  seen.now = std::chrono::duration_cast<std::chrono::seconds>(
                 std::chrono::system_clock::now().time_since_epoch())
                 .count();
  async::SystemTime time(co_await asio::this_coro::executor);
  Passwords passwords(time);
  std::string refused;
  const auto place = place_of(target, refused);
  if (place) {
    seen.address = place->display();
    seen.database = place->database();
    seen.wants_tls = place->wants_tls();
  }
  seen.once = co_await collect_once(resolver, passwords, target, kind_of(target), deadline);
  if (place && seen.wants_tls && !place->endpoints().front().is_unix_socket()) {
    co_await look_at_certificates(resolver, *place, deadline, seen);
  }
  co_return seen;
}

}  // namespace pgconn::exporter
