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
  return std::move(evaluation).in_order();
}

}  // namespace pgconn::collectors
