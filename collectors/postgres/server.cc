#include "collectors/postgres/builtin.h"
#include "collectors/postgres/facts.h"
#include "collectors/postgres/readings.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kStartTime =
    metrics::gauge("pgconn_server_start_time_seconds", "Unix time at which the postmaster started.",
                   {}, Unit::kSeconds, Fold::kMax);
constexpr auto kConfigLoadTime = metrics::gauge(
    "pgconn_server_config_load_time_seconds",
    "Unix time at which the server last read its configuration; no sample while our session is "
    "older than that, which is seldom more than one scrape.",
    {}, Unit::kSeconds, Fold::kMax);
constexpr auto kInRecovery = metrics::gauge(
    "pgconn_server_in_recovery", "1 if the server is a standby or recovers, 0 if it is a primary.",
    {}, Unit::kNone, Fold::kMax);
constexpr auto kCrashRestartTime = metrics::gauge(
    "pgconn_server_crash_restart_time_seconds",
    "Unix time at which the postmaster last restarted its children after a crash of one of them, 0 "
    "if it has not since it started; before PostgreSQL 15 no sample rather than a time, as a start "
    "that had long to recover looks the same.",
    {}, Unit::kSeconds, Fold::kMax);
constexpr auto kVisibility =
    metrics::gauge("pgconn_visibility",
                   "1 if our role may see other roles' sessions (pg_read_all_stats), all settings "
                   "(pg_read_all_settings) or the server's logs (pg_monitor), 0 if not.",
                   {"scope"}, Unit::kNone, Fold::kMax);

constexpr const metrics::Descriptor* kDescriptors[] = {&kStartTime, &kConfigLoadTime, &kInRecovery,
                                                       &kCrashRestartTime, &kVisibility};

constexpr CollectorInfo kInfo{
    .name = "server",
    .help = "Start, crash restart and configuration load times, and what our role may see.",
    .descriptors = kDescriptors};

class ServerCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options& options) const override {
    return {&server_reading(), &activity_reading(options)};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    metrics::MetricBatch& batch = output.batch;
    readings.rows(server_reading());  // throws what it failed of
    const auto server = facts(readings, context.options);
    if (!server) return output;
    batch.add(kStartTime, server->start_time);
    // An idle session learns of a reload with its next command, and takes that for its time.
    if (!context.outdated_session) batch.add(kConfigLoadTime, server->config_load_time);
    if (server->in_recovery) batch.add(kInRecovery, *server->in_recovery);
    const auto& crash = server->crash_restart_time;
    const bool certain = context.server_version >= 150000 || crash == 0.0;
    if (crash && certain) batch.add(kCrashRestartTime, *crash);
    batch.add(kVisibility, server->visibility.sessions, {"sessions"});
    batch.add(kVisibility, server->visibility.settings, {"settings"});
    batch.add(kVisibility, server->visibility.logs, {"logs"});
    return output;
  }
};

}  // namespace

const Collector& server_collector() {
  static const ServerCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
