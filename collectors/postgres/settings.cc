#include <string>

#include "collectors/postgres/builtin.h"
#include "collectors/postgres/findings.h"
#include "collectors/postgres/hba_rules.h"
#include "collectors/postgres/overrides.h"
#include "collectors/postgres/readings.h"
#include "collectors/postgres/server_settings.h"
#include "collectors/postgres/setting_rows.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kSeconds =
    metrics::gauge("pgconn_setting_seconds",
                   "The server's own value of a setting that is a time, whatever our session's "
                   "value is; where the "
                   "server leaves a keepalive to its kernel, Linux's default.",
                   {"name"}, Unit::kSeconds, Fold::kMax);
constexpr auto kValue = metrics::gauge(
    "pgconn_setting_value",
    "The server's own value of a setting that is a number, a size in bytes or a switch (0, 1).",
    {"name"}, Unit::kNone, Fold::kMax);
constexpr auto kOverride = metrics::gauge(
    "pgconn_setting_override_seconds",
    "Value of a time setting set for a role, a database or a role in a database; an empty label "
    "means all.",
    {"name", "database", "role"}, Unit::kSeconds, Fold::kMax);
constexpr auto kPendingRestart =
    metrics::gauge("pgconn_setting_pending_restart",
                   "1 for a setting whose new value waits for a restart of the server.", {"name"},
                   Unit::kNone, Fold::kMax);
constexpr auto kFinding = metrics::gauge(
    "pgconn_finding",
    "1 for something in the server's settings, or in the exporter's dsn, that needs fixing.",
    {"finding", "severity", "subject"}, Unit::kNone, Fold::kMax);

constexpr const metrics::Descriptor* kDescriptors[] = {&kSeconds, &kValue, &kOverride,
                                                       &kPendingRestart, &kFinding};

constexpr CollectorInfo kInfo{
    .name = "settings",
    .help = "Timeouts, keepalives and limits as the server has them, and what is wrong with them.",
    .descriptors = kDescriptors};

void add_settings(const ServerSettings& settings, metrics::MetricBatch& batch) {
  for (const TimeSetting& setting : time_settings()) {
    if (const auto value = settings.seconds(setting.name)) {
      batch.add(kSeconds, *value, {std::string(setting.name)});
    }
  }
  for (std::string_view name : number_settings()) {
    if (const auto value = settings.number(name)) batch.add(kValue, *value, {std::string(name)});
  }
  for (const std::string& name : settings.pending_restart()) batch.add(kPendingRestart, 1, {name});
}

class SettingsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options&) const override {
    return {&settings_reading(), &overrides_reading(), &hba_rules_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    metrics::MetricBatch& batch = output.batch;
    const ServerSettings& settings = readings.parsed(settings_reading(), read_settings);
    const Overrides& overrides = readings.parsed(overrides_reading(), read_overrides);
    add_settings(settings, batch);
    for (const Override& override : overrides.all()) {
      if (!override.seconds) continue;
      batch.add(kOverride, *override.seconds, {override.setting, override.database, override.role});
    }
    FindingInputs inputs{.server_version = context.server_version,
                         .settings = settings,
                         .overrides = overrides,
                         .plaintext_remote_rules = std::nullopt,
                         .options = context.options,
                         .login_warnings = context.login_warnings};
    if (const postgres::Rows* rules = readings.find(hba_rules_reading())) {
      inputs.plaintext_remote_rules = plaintext_remote_rules(*rules);
    }
    output.findings = evaluate(inputs);
    for (const Finding& finding : output.findings) {
      batch.add(kFinding, 1,
                {std::string(finding.known->name), std::string(to_string(finding.known->severity)),
                 finding.subject});
    }
    return output;
  }
};

}  // namespace

const Collector& settings_collector() {
  static const SettingsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
