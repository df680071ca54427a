// The tables of probes.
#include <type_traits>

#include "config/schema.h"
#include "config/sections.h"

namespace pgconn::config {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr DurationRange kIntervalRange = {milliseconds(100), days(1)};
constexpr DurationRange kTimeoutRange = {milliseconds(10), minutes(5)};
constexpr std::string_view kEnabledHelp = "Whether the probe runs.";

std::vector<Field<Probe>> each_interval(const Probe& defaults, std::string_view timeout_help) {
  return {
      boolean("enabled", &Probe::enabled, kEnabledHelp, defaults),
      duration("interval", &Probe::interval, kIntervalRange,
               "From the start of one run to the start of the next.", defaults),
      duration("timeout", &Probe::timeout, kTimeoutRange, timeout_help, defaults),
  };
}

template <typename AnyProbe>
Field<Probes> probe_field(std::string_view key, AnyProbe Probes::* member,
                          std::span<const Field<AnyProbe>> fields, std::string_view help) {
  return {.key = std::string(key),
          .type = "boolean or mapping",
          .allowed = "as `probes." + std::string(key) + "`",
          .default_text = (Probes{}.*member).enabled ? "true" : "false",
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Probes& probes) {
            AnyProbe& probe = probes.*member;
            if (value.node.kind != YamlNode::Kind::kMapping) {
              const auto enabled = read_boolean(value, kSwitchAllowed, context.problems);
              if (enabled) probe.enabled = *enabled;
              return;
            }
            probe.enabled = true;
            read_section<AnyProbe>(value, kSwitchAllowed, fields, context, probe);
            if constexpr (std::is_same_v<AnyProbe, Probe>) {
              check_timeout(value, probe, context.problems);
            }
          }};
}

}  // namespace

std::span<const Field<Probes>> probes_fields() {
  static const std::vector<Field<Probes>> fields = {
      probe_field("connect", &Probes::connect, connect_fields(),
                  "Opens a fresh connection each interval and times its phases."),
      probe_field("roundtrip", &Probes::roundtrip, roundtrip_fields(),
                  "Holds one connection, watches it, and asks it `SELECT 1` each interval."),
      probe_field("idle", &Probes::idle, idle_fields(),
                  "Holds silent connections to learn how long the network path lets them live."),
      ascending("duration_buckets", &Probes::duration_buckets, SecondsRange{0, 300}, 30,
                "Upper bounds of the buckets of `pgconn_probe_duration_seconds`, in seconds."),
  };
  return fields;
}

std::span<const Field<Probe>> connect_fields() {
  static const std::vector<Field<Probe>> fields = each_interval(
      Probes{}.connect,
      "The longest that connecting and its one query may take together. Below `interval`.");
  return fields;
}

std::span<const Field<Probe>> roundtrip_fields() {
  static const std::vector<Field<Probe>> fields = each_interval(
      Probes{}.roundtrip, "The longest that connecting or an answer may take. Below `interval`.");
  return fields;
}

std::span<const Field<IdleProbe>> idle_fields() {
  static const std::vector<Field<IdleProbe>> fields = {
      boolean("enabled", &IdleProbe::enabled, kEnabledHelp),
      ascending("ladder", &IdleProbe::ladder, DurationRange{milliseconds(100), days(7)}, 20,
                "The silences to try, one after the other, until one is not survived; then those "
                "in between."),
      integer("canaries", &IdleProbe::canaries, {1, 20}, "How many connections try them."),
      duration("timeout", &IdleProbe::timeout, kTimeoutRange,
               "The longest that connecting, or the answer after a silence, may take."),
  };
  return fields;
}

}  // namespace pgconn::config
