#include "collectors/postgres/findings.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "postgres/identifier.h"
#include "text/join.h"

namespace pgconn::collectors {
namespace {

using postgres::quoted_identifier;

constexpr std::string_view kIdleInTransaction = "idle_in_transaction_session_timeout";
constexpr double kTooLow = 1;  // seconds
constexpr double kMegabyte = 1024.0 * 1024;
// A join of two sorts or hashes is nothing unusual.
constexpr double kNodes = 2;
// More than this share of the memory for shared_buffers leaves too little for the rest.
constexpr double kLargestShare = 0.4, kUsualShare = 0.25;
// PostgreSQL's default: below it, fewer connections are better advice.
constexpr double kUsualWorkMem = 4 * kMegabyte;
// The settings that let a connection stay silent, and the usual seconds.
constexpr std::pair<std::string_view, double> kKeepaliveSilences[] = {
    {"tcp_keepalives_idle", 60}, {"tcp_keepalives_interval", 10}};

std::string replaced(std::string_view text, std::string_view placeholder, std::string_view value) {
  std::string result(text);
  for (std::size_t at = result.find(placeholder); at != std::string::npos;
       at = result.find(placeholder, at + value.size())) {
    result.replace(at, placeholder.size(), value);
  }
  return result;
}

std::string subject_of(const Override& override) {
  if (override.role.empty() && override.database.empty()) return "all roles";
  if (override.role.empty()) return "database " + override.database;
  const std::string role = "role " + override.role;
  return override.database.empty() ? role : role + " in database " + override.database;
}

std::string statement_for(const Override& override) {
  if (override.role.empty() && override.database.empty()) return "ALTER ROLE ALL SET";
  if (override.role.empty())
    return "ALTER DATABASE " + quoted_identifier(override.database) + " SET";
  const std::string role = "ALTER ROLE " + quoted_identifier(override.role);
  return override.database.empty()
             ? role + " SET"
             : role + " IN DATABASE " + quoted_identifier(override.database) + " SET";
}

// A size as PostgreSQL writes it, rounded down.
std::string megabytes(double bytes) {
  return std::to_string(static_cast<std::int64_t>(bytes / kMegabyte)) + "MB";
}

std::string whole_number(double value) { return std::to_string(static_cast<std::int64_t>(value)); }

class Evaluation {
 public:
  explicit Evaluation(const FindingInputs& inputs) : inputs_(inputs) {}

  void timeouts() {
    idle_in_transaction_timeout();
    disabled_everywhere("idle_session_timeout_disabled", "idle_session_timeout");
    disabled_everywhere("transaction_timeout_disabled", "transaction_timeout");
    disabled_everywhere("statement_timeout_disabled", "statement_timeout");
    if (const auto timeout = seconds("statement_timeout"); timeout && *timeout > 0) {
      add("statement_timeout_global", whole_number(*timeout * 1000) + "ms");
    }
  }

  void network() {
    const auto idle = seconds("tcp_keepalives_idle");
    const auto interval = seconds("tcp_keepalives_interval");
    const auto count = inputs_.settings.number("tcp_keepalives_count");
    keepalive_slower_than_path();
    if (idle && interval && count) {
      const auto budget = static_cast<double>(inputs_.options.keepalive_budget.count());
      if (*idle + *interval * *count > budget) add("keepalive_budget_too_long");
    }
    if (seconds("tcp_user_timeout") == 0) add("tcp_user_timeout_unset");
    if (seconds("client_connection_check_interval") == 0) {
      add("client_connection_check_interval_unset");
    }
  }

  void encryption() {
    const auto ssl = inputs_.settings.number("ssl");
    if (ssl == 0) add("tls_off");
    // An empty value allows every version that the library has.
    const auto oldest = inputs_.settings.text("ssl_min_protocol_version");
    if (ssl == 1 && oldest && (oldest->empty() || *oldest == "TLSv1" || *oldest == "TLSv1.1")) {
      add("tls_min_protocol_old");
    }
    if (const auto& rules = inputs_.plaintext_remote_rules; rules && !rules->empty()) {
      add("plaintext_remote_allowed", text::joined(*rules));
    }
    if (inputs_.settings.text("password_encryption") == "md5") add("password_encryption_md5");
  }

  void our_login() {
    if (inputs_.options.password_exposed) add_for_dsn("password_to_unverified_server");
    const auto& warnings = inputs_.login_warnings;
    if (!warnings.empty()) add_for_dsn("login_warned", text::joined(warnings));
  }

  void operation() {
    if (inputs_.settings.number("superuser_reserved_connections") == 0) add("reserved_slots_zero");
    if (inputs_.settings.number("log_connections") == 0) add("log_connections_off");
    if (inputs_.settings.number("log_disconnections") == 0) add("log_disconnections_off");
    if (const auto& waiting = inputs_.settings.pending_restart(); !waiting.empty()) {
      add("pending_restart", text::joined(waiting));
    }
  }

  void memory() {
    const auto memory = inputs_.options.host.memory;
    const auto shared_buffers = inputs_.settings.number("shared_buffers");
    const auto work_mem = inputs_.settings.number("work_mem");
    const auto connections = inputs_.settings.number("max_connections");
    if (!memory || !shared_buffers) return;
    if (work_mem && connections) {
      work_mem_times_connections(*memory, *shared_buffers, *work_mem, *connections);
    }
    if (*shared_buffers > kLargestShare * *memory) {
      add("shared_buffers_share", megabytes(kUsualShare * *memory));
    }
  }

  void host() {
    const HostFacts& host = inputs_.options.host;
    if (host.postmaster_oom_score_adj && *host.postmaster_oom_score_adj >= 0) {
      add_for_host("oom_score_unprotected");
    }
    // A cgroup's limit kills whatever the host has set, and its swap is the orchestrator's matter.
    if (host.limited) return;
    if (host.overcommit_memory && *host.overcommit_memory != 2) add_for_host("overcommit");
    if (host.swap == 0) add_for_host("no_swap");
  }

  std::vector<Finding> in_order() && {
    std::ranges::stable_sort(found_, {}, &Finding::known);
    return std::move(found_);
  }

 private:
  std::optional<double> seconds(std::string_view name) const {
    return inputs_.settings.seconds(name);
  }

  static const KnownFinding& known(std::string_view name) {
    return *std::ranges::find(known_findings(), name, &KnownFinding::name);
  }

  void add(std::string_view name, std::string_view detail = "") {
    const KnownFinding& finding = known(name);
    if (inputs_.server_version < finding.min_version) return;
    std::string fix = replaced(finding.fix, "{detail}", detail);
    if (fix.starts_with("{setting}")) {
      fix = replaced(fix, "{setting}", "ALTER SYSTEM SET") + " SELECT pg_reload_conf();";
    }
    found_.push_back({&finding, "server", std::move(fix)});
  }

  void add_for(const Override& override, std::string_view name) {
    const KnownFinding& finding = known(name);
    found_.push_back({&finding, subject_of(override),
                      replaced(finding.fix, "{setting}", statement_for(override))});
  }

  void add_for_host(std::string_view name) {
    const KnownFinding& finding = known(name);
    found_.push_back({&finding, "host", std::string(finding.fix)});
  }

  // What all sessions may take at once, if each sorts or hashes twice.
  void work_mem_times_connections(double memory, double shared_buffers, double work_mem,
                                  double connections) {
    if (connections < 1 || shared_buffers + connections * kNodes * work_mem <= memory) return;
    // If that is too large, it has a finding of its own.
    const double kept =
        shared_buffers > kLargestShare * memory ? kUsualShare * memory : shared_buffers;
    const double fits = (memory - kept) / (connections * kNodes);
    const std::string setting = "ALTER SYSTEM SET work_mem = '";
    if (fits >= kUsualWorkMem) {
      add("work_mem_times_connections",
          setting + megabytes(fits) +
              "'; SELECT pg_reload_conf(); -- and more for the roles that need it");
    } else {
      add("work_mem_times_connections",
          setting + megabytes(kUsualWorkMem) + "'; ALTER SYSTEM SET max_connections = " +
              whole_number(std::max(1.0, (memory - kept) / (kNodes * kUsualWorkMem))) +
              "; -- needs a restart; put a pool in front");
    }
  }

  void add_for_dsn(std::string_view name, std::string_view detail = "") {
    const KnownFinding& finding = known(name);
    found_.push_back({&finding, "dsn", replaced(finding.fix, "{detail}", detail)});
  }

  // The server's own value counts if it applies to anyone; each override counts for itself.
  void idle_in_transaction_timeout() {
    if (!inputs_.overrides) return;
    const auto server = seconds(kIdleInTransaction);
    if (server && *server < kTooLow &&
        inputs_.overrides->server_value_applies(kIdleInTransaction)) {
      add(*server == 0 ? "idle_in_transaction_timeout_disabled"
                       : "idle_in_transaction_timeout_too_low");
    }
    for (const Override& override : inputs_.overrides->all()) {
      if (override.setting != kIdleInTransaction || !override.applies) continue;
      if (!override.seconds || *override.seconds >= kTooLow) continue;
      add_for(override, *override.seconds == 0 ? "idle_in_transaction_timeout_disabled"
                                               : "idle_in_transaction_timeout_too_low");
    }
  }

  // After an answered keepalive, Linux checks again an interval later: the longest silence is the
  // greater of the two settings.
  void keepalive_slower_than_path() {
    if (!inputs_.options.path_idle_limit) return;
    const double path = std::chrono::duration<double>(*inputs_.options.path_idle_limit).count();
    std::string fix;
    for (const auto& [setting, usual] : kKeepaliveSilences) {
      const auto value = seconds(setting);
      if (!value || *value < path) continue;
      const double better = std::max(1.0, std::min(usual, path / 2));
      fix += (fix.empty() ? "ALTER SYSTEM SET " : " ALTER SYSTEM SET ") + std::string(setting) +
             " = " + whole_number(better) + ";";
    }
    if (!fix.empty()) add("keepalive_slower_than_path", fix);
  }

  void disabled_everywhere(std::string_view name, std::string_view setting) {
    if (!inputs_.overrides || seconds(setting) != 0) return;
    if (!inputs_.overrides->any_enables(setting)) add(name);
  }

  const FindingInputs& inputs_;
  std::vector<Finding> found_;
};

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
  }
  return "";
}

std::vector<Finding> evaluate(const FindingInputs& inputs) {
  Evaluation evaluation(inputs);
  evaluation.timeouts();
  evaluation.network();
  evaluation.encryption();
  evaluation.our_login();
  evaluation.operation();
  evaluation.memory();
  evaluation.host();
  return std::move(evaluation).in_order();
}

}  // namespace pgconn::collectors
