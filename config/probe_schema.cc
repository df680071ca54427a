// The tables of probes.
#include <map>

#include "config/schema.h"
#include "config/sections.h"
#include "config/text_rules.h"
#include "text/join.h"

namespace pgconn::config {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr DurationRange kIntervalRange = {milliseconds(100), days(1)};
constexpr DurationRange kTimeoutRange = {milliseconds(10), minutes(5)};
constexpr DurationRange kSleepRange = {seconds(1), days(1)};
constexpr std::string_view kEnabledHelp = "Whether the probe runs.";
constexpr std::string_view kIntervalHelp = "From the start of one run to the start of the next.";

constexpr std::string_view kOn = "true";

constexpr TextRule kRootsPath = {"an absolute path on one line, such as `/etc/ssl/pg-ca.crt`",
                                 is_absolute_path};

// How the values of a probe must relate to each other.
void check(const Value& section, const Probe& probe, Problems& problems) {
  check_timeout(section, probe.timeout, probe.interval, problems);
}
void check(const Value&, const IdleProbe&, Problems&) {}
void check(const Value& section, const LongqueryProbe& probe, Problems& problems) {
  check_sleep(section, probe, problems);
}
void check(const Value& section, const CertificateProbe& probe, Problems& problems) {
  check_timeout(section, probe.timeout, probe.interval, problems);
}

std::vector<Field<Probe>> each_interval(const Probe& defaults, std::string_view timeout_help) {
  return {
      boolean("enabled", &Probe::enabled, kEnabledHelp, defaults),
      duration("interval", &Probe::interval, kIntervalRange, kIntervalHelp, defaults),
      duration("timeout", &Probe::timeout, kTimeoutRange, timeout_help, defaults),
  };
}

template <typename AnyProbe>
Field<Probes> probe_field(std::string_view key, AnyProbe Probes::* member,
                          std::span<const Field<AnyProbe>> fields, std::string_view help) {
  return {.key = std::string(key),
          .type = "boolean or mapping",
          .allowed = "as `probes." + std::string(key) + "`",
          .default_text = std::string((Probes{}.*member).enabled ? kOn : "false"),
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
            check(value, probe, context.problems);
          }};
}

template <typename AnyProbe>
std::string defaults_of(std::span<const Field<AnyProbe>> fields) {
  std::vector<std::string> defaults;
  for (const Field<AnyProbe>& field : fields) {
    if (field.key == "enabled" || field.default_text.empty()) continue;
    defaults.push_back(field.key + " " + field.default_text);
  }
  return text::joined(defaults);
}

}  // namespace

std::vector<ProbeReference> probe_references() {
  const std::map<std::string_view, std::string> defaults = {
      {"connect", defaults_of(connect_fields())},
      {"roundtrip", defaults_of(roundtrip_fields())},
      {"idle", defaults_of(idle_fields())},
      {"longquery", defaults_of(longquery_fields())},
      {"certificate", defaults_of(certificate_fields())}};
  std::vector<ProbeReference> probes;
  for (const Field<Probes>& field : probes_fields()) {
    const auto own = defaults.find(field.key);
    if (own == defaults.end()) continue;  // an option of all probes
    probes.push_back({field.key, field.help, field.default_text == kOn, own->second});
  }
  return probes;
}

std::span<const Field<Probes>> probes_fields() {
  static const std::vector<Field<Probes>> fields = {
      probe_field("connect", &Probes::connect, connect_fields(),
                  "Opens a fresh connection each interval and times its phases."),
      probe_field("roundtrip", &Probes::roundtrip, roundtrip_fields(),
                  "Holds one connection, watches it, and sends `SELECT 1` each interval."),
      probe_field("idle", &Probes::idle, idle_fields(),
                  "Holds idle connections to learn how long the network path keeps them open."),
      probe_field("longquery", &Probes::longquery, longquery_fields(),
                  "Runs a query that is active but silent for a long time, to learn whether it can "
                  "finish."),
      probe_field("certificate", &Probes::certificate, certificate_fields(),
                  "Makes a TLS handshake, without logging in, and reports the server's "
                  "certificates."),
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
                "The idle times to try, one after another, until one is not survived; then times "
                "in between."),
      integer("canaries", &IdleProbe::canaries, {1, 200}, "How many connections try them."),
      duration("timeout", &IdleProbe::timeout, kTimeoutRange,
               "The longest that connecting, or the answer after an idle time, may take."),
  };
  return fields;
}

std::span<const Field<LongqueryProbe>> longquery_fields() {
  static const std::vector<Field<LongqueryProbe>> fields = {
      boolean("enabled", &LongqueryProbe::enabled, kEnabledHelp),
      duration("interval", &LongqueryProbe::interval, kIntervalRange, kIntervalHelp),
      duration("sleep", &LongqueryProbe::sleep, kSleepRange,
               "How long the query lasts. Together with `timeout`, below `interval`."),
      duration("timeout", &LongqueryProbe::timeout, kTimeoutRange,
               "The longest that connecting, or the answer after `sleep`, may take."),
  };
  return fields;
}

std::span<const Field<CertificateProbe>> certificate_fields() {
  static const std::vector<Field<CertificateProbe>> fields = {
      boolean("enabled", &CertificateProbe::enabled, kEnabledHelp),
      duration("interval", &CertificateProbe::interval, kIntervalRange,
               "From the start of one run to the start of the next; `files` are read at the same "
               "interval."),
      duration(
          "timeout", &CertificateProbe::timeout, kTimeoutRange,
          "The longest that connecting and the handshake may take together. Below `interval`."),
      text("roots", &CertificateProbe::roots, kRootsPath,
           "The file of trusted roots. If empty, the one that the dsn's `sslrootcert` names, else "
           "`/etc/ssl/certs/ca-certificates.crt` or `/etc/pki/tls/certs/ca-bundle.crt`."),
      boolean("direct_tls", &CertificateProbe::direct_tls,
              "Begin with TLS, instead of asking for it in plain text first. PostgreSQL 17 and "
              "later accept that."),
  };
  return fields;
}

}  // namespace pgconn::config
