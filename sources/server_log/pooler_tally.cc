#include "sources/server_log/pooler_tally.h"

#include <string>

#include "sources/server_log/log_families.h"

namespace pgconn::server_log {
namespace {

// What a reason begins with, in releases 1.18 to 1.26. The first that fits counts.
struct Words {
  std::string_view text;
  PoolerReason reason;
};
constexpr Words kWords[] = {
    {"client close request", PoolerReason::kClientClosed},
    {"client unexpected eof", PoolerReason::kClientLost},
    {"client disconnect", PoolerReason::kClientLost},  // while, before, with a query in progress
    {"replication client disconnected", PoolerReason::kClientLost},
    {"client_idle_timeout", PoolerReason::kClientIdleTimeout},
    {"client_login_timeout", PoolerReason::kClientLoginTimeout},
    {"idle transaction timeout", PoolerReason::kIdleTransactionTimeout},
    {"transaction timeout", PoolerReason::kTransactionTimeout},
    {"query timeout", PoolerReason::kQueryTimeout},
    {"query_timeout", PoolerReason::kQueryTimeout},
    {"query_wait_timeout", PoolerReason::kQueryWaitTimeout},
    {"cancel_wait_timeout", PoolerReason::kCancelWaitTimeout},
    {"no more connections allowed", PoolerReason::kMaxClientConn},
    {"client connections exceeded", PoolerReason::kMaxClientConn},
    {"too many", PoolerReason::kMaxClientConn},
    {"server login failed", PoolerReason::kServerLoginFailed},
    {"password authentication failed", PoolerReason::kAuthenticationFailed},
    {"\"trust\" authentication failed", PoolerReason::kNoUser},
    {"SASL authentication failed", PoolerReason::kAuthenticationFailed},
    {"PAM authentication failed", PoolerReason::kAuthenticationFailed},
    {"LDAP authentication failed", PoolerReason::kAuthenticationFailed},
    {"certificate authentication failed", PoolerReason::kAuthenticationFailed},
    {"MD5 authentication failed", PoolerReason::kAuthenticationFailed},
    {"login rejected", PoolerReason::kAuthenticationFailed},
    {"no authentication method", PoolerReason::kAuthenticationFailed},
    {"unix socket login rejected", PoolerReason::kAuthenticationFailed},
    {"not allowed", PoolerReason::kAuthenticationFailed},
    {"no such user", PoolerReason::kNoUser},
    {"no such database", PoolerReason::kNoDatabase},
    {"database \"", PoolerReason::kNoDatabase},  // … is disabled
    {"database does not allow", PoolerReason::kNoDatabase},
    {"TLS ", PoolerReason::kTlsError},
    {"SSL ", PoolerReason::kTlsError},
    {"admin forced disconnect", PoolerReason::kAdmin},
    {"kill_client", PoolerReason::kAdmin},
    {"pooler is shutting down", PoolerReason::kShutdown},
    {"server shutting down", PoolerReason::kShutdown},
    {"shutdown", PoolerReason::kShutdown},
    {"server lifetime over", PoolerReason::kServerLifetime},
    {"server idle timeout", PoolerReason::kServerIdleTimeout},
    {"server conn crashed", PoolerReason::kServerLost},
    {"server disconnect", PoolerReason::kServerLost},
    {"connect timeout", PoolerReason::kConnectTimeout},
    {"connect failed", PoolerReason::kConnectFailed},
    {"reconnect", PoolerReason::kReconnect},
    {"database configuration changed", PoolerReason::kReconnect},
    {"close_needed", PoolerReason::kReconnect},  // the same in 1.26
    {"obsolete connection", PoolerReason::kReconnect},
    {"unclean server", PoolerReason::kUnclean},
    {"idle server got dirty", PoolerReason::kUnclean},
    {"SV_IDLE server got dirty", PoolerReason::kUnclean},
    {"reset_query failed", PoolerReason::kUnclean},
    {"test_query failed", PoolerReason::kUnclean},
    {"test query failed", PoolerReason::kUnclean},
    {"broken", PoolerReason::kProtocol},
    {"bad packet", PoolerReason::kProtocol},
    {"bad pkt", PoolerReason::kProtocol},
    {"unexpected", PoolerReason::kProtocol},
    {"unknown", PoolerReason::kProtocol},
    {"unsupported", PoolerReason::kProtocol},
    {"protocol error", PoolerReason::kProtocol},
    {"invalid", PoolerReason::kProtocol},
};

constexpr std::array<std::string_view, kPoolerReasons> kReasons = {
    "client_closed",
    "client_lost",
    "client_idle_timeout",
    "client_login_timeout",
    "idle_transaction_timeout",
    "transaction_timeout",
    "query_timeout",
    "query_wait_timeout",
    "cancel_wait_timeout",
    "max_client_conn",
    "authentication_failed",
    "no_user",
    "no_database",
    "tls_error",
    "admin",
    "shutdown",
    "server_lifetime",
    "server_idle_timeout",
    "server_lost",
    "server_login_failed",
    "connect_timeout",
    "connect_failed",
    "reconnect",
    "unclean",
    "protocol",
    "other",
};

template <typename Visit>
void each(Visit visit) {
  for (std::size_t side = 0; side < kPoolerSides; ++side) {
    for (std::size_t reason = 0; reason < kPoolerReasons; ++reason) {
      visit(side, reason, std::string(to_string(static_cast<PoolerSide>(side))),
            std::string(kReasons.at(reason)));
    }
  }
}

}  // namespace

std::string_view to_string(PoolerSide side) {
  return side == PoolerSide::kClient ? "client" : "server";
}

std::string_view to_string(PoolerReason reason) {
  return kReasons.at(static_cast<std::size_t>(reason));
}

std::optional<PoolerClosing> closing_of(const Entry& entry) {
  constexpr std::string_view kClosing = "closing because: ";
  if (entry.backend_type.empty() || !entry.message.starts_with(kClosing)) return std::nullopt;
  const std::string_view why = entry.message.substr(kClosing.size());
  PoolerClosing closing;
  closing.side = entry.backend_type == "client" ? PoolerSide::kClient : PoolerSide::kServer;
  for (const Words& words : kWords) {
    if (!why.starts_with(words.text)) continue;
    closing.reason = words.reason;
    break;
  }
  return closing;
}

void PoolerTally::take(const Entry& entry, TimePoint) {
  common_.count(entry.severity);
  const auto closing = closing_of(entry);
  if (!closing) return;
  ++closings_.at(static_cast<std::size_t>(closing->side))
        .at(static_cast<std::size_t>(closing->reason));
}

metrics::MetricBatch PoolerTally::collect(const ParseFaults& faults, const Lag& lag) const {
  metrics::MetricBatch batch;
  each([&](std::size_t side, std::size_t reason, const std::string& of, const std::string& why) {
    batch.add(families::kPoolerClosings, static_cast<double>(closings_.at(side).at(reason)),
              {of, why});
  });
  common_.collect(faults, lag, batch);
  return batch;
}

Totals PoolerTally::totals(const ParseFaults& faults) const {
  Totals totals;
  each([&](std::size_t side, std::size_t reason, const std::string& of, const std::string& why) {
    const std::uint64_t count = closings_.at(side).at(reason);
    if (count > 0) totals.emplace("closing " + of + " " + why, static_cast<double>(count));
  });
  common_.add_totals(faults, totals);
  return totals;
}

void PoolerTally::restore(const Totals& totals) {
  each([&](std::size_t side, std::size_t reason, const std::string& of, const std::string& why) {
    closings_.at(side).at(reason) = count_of(totals, "closing " + of + " " + why);
  });
  common_.restore(totals);
}

}  // namespace pgconn::server_log
