#include "exporter/targets/collect_once.h"

#include <asio/this_coro.hpp>

#include "exporter/targets/collection_session.h"
#include "exporter/targets/target_settings.h"
#include "postgres/dialer.h"

namespace pgconn::exporter {

asio::awaitable<OneCollection> collect_once(postgres::Resolver& resolver, Passwords& passwords,
                                            config::Target target,
                                            const collectors::TargetKind& kind,
                                            postgres::Deadline deadline,
                                            asio::cancellation_slot stop) {
  std::string refused;  // the session will report that as well
  const std::optional<postgres::ConnInfo> place = place_of(target, refused);
  const collectors::Options options = options_of(target, place);
  const std::set<std::string> wanted = enabled_collectors(kind, target.collectors);
  const auto executor = co_await asio::this_coro::executor;
  postgres::Dialer dialer(
      executor, resolver,
      [&](postgres::Deadline until) { return passwords.conninfo_of(target, until); },
      target.global.max_connections_per_target, [&] { passwords.refused(target); });
  async::SystemTime time(executor);
  CollectionSession session(dialer, time, {kind, options, target.global}, {});
  Collected collected;
  if (stop.is_connected()) stop.assign([&session](asio::cancellation_type) { session.stop(); });
  co_await session.collect(wanted, deadline, collected);
  if (stop.is_connected()) stop.clear();

  OneCollection once;
  metrics::MetricBatch batch;
  once.reports = run_collectors(collected, wanted, options, batch);
  Surroundings surroundings{target, kind, place, collected.facts};
  if (session.is_open()) surroundings.server.emplace(session.host(), session.port());
  surroundings.connections = dialer.open();
  session.stop();
  once.result = assemble(std::move(surroundings), std::move(batch), once.reports,
                         collected.facts.has_value());
  once.findings = findings_of(once.reports);
  once.facts = std::move(collected.facts);
  once.connecting = collected.connected;
  once.error = std::move(collected.error);
  co_return once;
}

}  // namespace pgconn::exporter
