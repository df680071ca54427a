// SHOW CONFIG: PgBouncer's timeouts, keepalives and limits.
#include <algorithm>
#include <string>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/findings.h"
#include "collectors/pgbouncer/pooler_config.h"
#include "collectors/pgbouncer/pooler_settings.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kSeconds = metrics::gauge(
    "pgconn_pgbouncer_setting_seconds",
    "A setting of PgBouncer that is a time; where it leaves a keepalive to its kernel, Linux's "
    "default.",
    {"name"}, Unit::kSeconds, Fold::kMax);
constexpr auto kValue = metrics::gauge(
    "pgconn_pgbouncer_setting_value", "A setting of PgBouncer that is a number or a switch (0, 1).",
    {"name"}, Unit::kNone, Fold::kMax);

constexpr const metrics::Descriptor* kDescriptors[] = {&kSeconds, &kValue, &kFindingFamily};

constexpr CollectorInfo kInfo{
    .name = "pool_settings",
    .help = "PgBouncer's timeouts, keepalives and limits, and what is wrong with them.",
    .descriptors = kDescriptors};

struct TimeSetting {
  std::string_view name;
  double unit = 1;     // of the value, in seconds
  double kernels = 0;  // what 0 stands for
};

constexpr double kMilliseconds = 1e-3;

constexpr TimeSetting kTimes[] = {
    {"autodb_idle_timeout"},
    {"cancel_wait_timeout"},
    {"client_idle_timeout"},
    {"client_login_timeout"},
    {"idle_transaction_timeout"},
    {"pool_idle_timeout"},
    {"query_timeout"},
    {"query_wait_notify"},
    {"query_wait_timeout"},
    {"reserve_pool_timeout"},
    {"server_check_delay"},
    {"server_connect_timeout"},
    {"server_idle_timeout"},
    {"server_lifetime"},
    {"server_login_retry"},
    {"suspend_timeout"},
    {"tcp_keepidle", 1, 7200},
    {"tcp_keepintvl", 1, 75},
    {"tcp_user_timeout", kMilliseconds},
    {"transaction_timeout"},
};

constexpr std::string_view kNumbers[] = {
    "default_pool_size",
    "listen_backlog",
    "max_client_conn",
    "max_db_client_connections",
    "max_db_connections",
    "max_prepared_statements",
    "max_user_client_connections",
    "max_user_connections",
    "min_pool_size",
    "peer_id",
    "reserve_pool_size",
    "server_fast_close",
    "server_round_robin",
    "so_reuseport",
    "tcp_keepalive",
    "tcp_keepcnt",
};
constexpr double kKernelsKeepcnt = 9;

// A host that is no directory of a Unix socket and no name or address of this machine. Several
// hosts are separated by commas.
bool is_remote(std::string_view hosts) {
  while (!hosts.empty()) {
    const std::string_view host = hosts.substr(0, hosts.find(','));
    hosts.remove_prefix(std::min(host.size() + 1, hosts.size()));
    const bool local = host.empty() || host.starts_with('/') || host.starts_with('@') ||
                       host.starts_with("127.") || host == "::1" || host == "localhost";
    if (!local) return true;
  }
  return false;
}

std::optional<bool> remote_server(const Readings& readings) {
  const postgres::Rows* const answer = readings.find(pooler_databases_reading());
  if (answer == nullptr) return std::nullopt;
  const ConsoleRows rows(*answer, "name");
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (is_remote(rows.text(row, "host"))) return true;
  }
  return false;
}

class SettingsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&pooler_config_reading(), &pooler_databases_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    const PoolerConfig& config = readings.parsed(pooler_config_reading(), read_pooler_config);
    for (const TimeSetting& setting : kTimes) {
      if (const auto seconds = pooler_seconds(config, setting.name)) {
        output.batch.add(kSeconds, *seconds, {std::string(setting.name)});
      }
    }
    for (const std::string_view name : kNumbers) {
      auto value = config.number(name);
      if (!value) continue;
      if (name == "tcp_keepcnt" && *value == 0) value = kKernelsKeepcnt;
      output.batch.add(kValue, *value, {std::string(name)});
    }
    output.findings = evaluate_pooler({.version = context.server_version,
                                       .config = config,
                                       .path_idle_limit = context.options.path_idle_limit,
                                       .remote_server = remote_server(readings)});
    for (const Finding& finding : output.findings) {
      output.batch.add(kFindingFamily, 1,
                       {std::string(finding.known->name),
                        std::string(to_string(finding.known->severity)), finding.subject});
    }
    return output;
  }
};

}  // namespace

std::optional<double> pooler_seconds(const PoolerConfig& config, std::string_view name) {
  for (const TimeSetting& setting : kTimes) {
    if (setting.name != name) continue;
    const auto value = config.number(name);
    if (!value) return std::nullopt;
    return *value == 0 ? setting.kernels : *value * setting.unit;
  }
  return std::nullopt;
}

const Collector& pooler_settings_collector() {
  static const SettingsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
