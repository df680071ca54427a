#include "collectors/pgbouncer/findings.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "collectors/pgbouncer/pooler_settings.h"

namespace pgconn::collectors {
namespace {

constexpr std::string_view kSubject = "pgbouncer";
constexpr double kPaysOff = 60;  // seconds of a connection's life

// From the release notes of PgBouncer, newest first.
struct Hole {
  int fixed_in;  // as PQserverVersion
  std::string_view release, cves;
};
constexpr Hole kHoles[] = {
    {12502, "1.25.2", "CVE-2026-6664, CVE-2026-6665, CVE-2026-6666, CVE-2026-6667"},
    {12501, "1.25.1", "CVE-2025-12819"},
    {12401, "1.24.1", "CVE-2025-2291"},
};

std::string whole_number(double value) { return std::to_string(static_cast<std::int64_t>(value)); }

class Evaluation {
 public:
  explicit Evaluation(const PoolerInputs& inputs) : inputs_(inputs), config_(inputs.config) {}

  void timeouts() {
    idle_servers_and_path();
    const bool bounded = seconds("transaction_timeout").value_or(0) > 0;
    if (seconds("idle_transaction_timeout") == 0 && !bounded) {
      add("pgbouncer_idle_transaction_timeout_disabled");
    }
    if (seconds("query_wait_timeout") == 0) add("pgbouncer_query_wait_timeout_disabled");
    const auto lifetime = seconds("server_lifetime");
    if (lifetime && *lifetime < kPaysOff) add("pgbouncer_server_lifetime_short");
  }

  void network() {
    if (config_.number("tcp_keepalive") == 0) add("pgbouncer_keepalive_off");
    const auto mode = config_.text("server_tls_sslmode");
    const bool weak = mode == "disable" || mode == "allow" || mode == "prefer";
    if (weak && inputs_.remote_server == true) add("pgbouncer_server_tls_weak");
  }

  void operation() {
    if (config_.number("so_reuseport") == 1 && config_.number("peer_id").value_or(0) == 0) {
      add("pgbouncer_reuseport_without_peers");
    }
    known_holes();
  }

  std::vector<Finding> in_order() && {
    std::ranges::stable_sort(found_, {}, &Finding::known);
    return std::move(found_);
  }

 private:
  std::optional<double> seconds(std::string_view name) const {
    return pooler_seconds(config_, name);
  }

  void add(std::string_view name, std::string_view detail = "") {
    const KnownFinding& known =
        *std::ranges::find(known_pooler_findings(), name, &KnownFinding::name);
    found_.push_back({&known, std::string(kSubject), with_value(known.fix, "{detail}", detail)});
  }

  // The longest silence that keepalives leave on its connections; nullopt: they are off.
  std::optional<double> keepalive_gap() const {
    if (config_.number("tcp_keepalive") == 0) return std::nullopt;
    const auto idle = seconds("tcp_keepidle"), interval = seconds("tcp_keepintvl");
    if (!idle || !interval) return std::nullopt;
    return std::max(*idle, *interval);
  }

  void idle_servers_and_path() {
    const auto timeout = seconds("server_idle_timeout");
    if (!inputs_.path_idle_limit || !timeout) return;
    const double path = std::chrono::duration<double>(*inputs_.path_idle_limit).count();
    const bool closes_in_time = *timeout > 0 && *timeout < path;
    const auto gap = keepalive_gap();
    if (closes_in_time || (gap && *gap < path)) return;
    const double better = std::max(1.0, path / 2);
    add("pgbouncer_server_idle_timeout_above_path",
        "server_idle_timeout = " + whole_number(better) +
            "; tcp_keepalive = 1; tcp_keepidle = " + whole_number(std::min(60.0, better)) +
            "; tcp_keepintvl = " + whole_number(std::min(10.0, better)) + "; tcp_keepcnt = 6");
  }

  void known_holes() {
    std::string cves;
    for (const Hole& hole : kHoles) {
      if (inputs_.version >= hole.fixed_in) continue;
      cves += (cves.empty() ? "" : ", ") + std::string(hole.cves);
    }
    if (cves.empty()) return;
    add("pgbouncer_known_holes", std::string(kHoles[0].release) + " or newer: " + cves);
  }

  const PoolerInputs& inputs_;
  const PoolerConfig& config_;
  std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> evaluate_pooler(const PoolerInputs& inputs) {
  Evaluation evaluation(inputs);
  evaluation.timeouts();
  evaluation.network();
  evaluation.operation();
  return std::move(evaluation).in_order();
}

}  // namespace pgconn::collectors
