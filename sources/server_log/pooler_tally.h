// Counts what a PgBouncer's log tells of connections: which ended, at which side, and why. One
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sources/server_log/common_metrics.h"
#include "sources/server_log/tally.h"

namespace pgconn::server_log {

enum class PoolerSide { kClient, kServer };
inline constexpr std::size_t kPoolerSides = 2;
std::string_view to_string(PoolerSide side);

// Why PgBouncer closed a connection: the label `reason`.
enum class PoolerReason {
  kClientClosed,  // the client said goodbye
  kClientLost,    // the client is gone without a word, or amid a query
  kClientIdleTimeout,
  kClientLoginTimeout,
  kIdleTransactionTimeout,
  kTransactionTimeout,
  kQueryTimeout,
  kQueryWaitTimeout,
  kCancelWaitTimeout,
  kMaxClientConn,  // and other limits on clients
  kAuthenticationFailed,
  kNoUser,
  kNoDatabase,  // or one that is disabled
  kTlsError,
  kAdmin,     // KILL, KILL_CLIENT
  kShutdown,  // of PgBouncer
  kServerLifetime,
  kServerIdleTimeout,
  kServerLost,         // the server is gone, or said so with an error
  kServerLoginFailed,  // it refused PgBouncer
  kConnectTimeout,
  kConnectFailed,
  kReconnect,  // RECONNECT, or the database's settings have changed
  kUnclean,    // the server was not in a state to be given to another client
  kProtocol,   // what came was no PostgreSQL message
  kOther,
};
inline constexpr std::size_t kPoolerReasons = static_cast<std::size_t>(PoolerReason::kOther) + 1;
std::string_view to_string(PoolerReason reason);

struct PoolerClosing {
  PoolerSide side = PoolerSide::kClient;
  PoolerReason reason = PoolerReason::kOther;
};
// Nothing if the entry is not of a connection that was closed. Pure.
std::optional<PoolerClosing> closing_of(const Entry& entry);

class PoolerTally final : public Tally {
 public:
  void take(const Entry& entry, TimePoint now) override;
  void count(Trouble trouble) override { common_.count(trouble); }
  void foresee(bool) override {}
  metrics::MetricBatch collect(const ParseFaults& faults, const Lag& lag) const override;
  Totals totals(const ParseFaults& faults) const override;
  void restore(const Totals& totals) override;

 private:
  CommonMetrics common_;
  std::array<std::array<std::uint64_t, kPoolerReasons>, kPoolerSides> closings_{};
};

}  // namespace pgconn::server_log
