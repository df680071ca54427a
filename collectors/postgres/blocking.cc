#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "collectors/postgres/activity.h"
#include "collectors/postgres/builtin.h"
#include "collectors/postgres/readings.h"
#include "collectors/postgres/wait_graph.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;
using Pid = WaitGraph::Pid;

constexpr auto kBlocked = metrics::gauge(
    "pgconn_blocked_sessions",
    "Client sessions that wait for a lock, by the database they are connected to.", {"database"});
constexpr auto kBlockedOldest = metrics::gauge(
    "pgconn_blocked_oldest_seconds",
    "How long the client session that waits for a lock the longest has waited; before PostgreSQL "
    "14 how long its statement has run, some of that perhaps without waiting.",
    {"database"}, Unit::kSeconds, Fold::kMax);
constexpr auto kBlocking = metrics::gauge(
    "pgconn_blocking_sessions",
    "Sessions others wait for that do not wait for a lock themselves: the roots of the chains. A "
    "backend that is not a client's shows its kind as application, a prepared transaction its kind "
    "as state and the waiter's database.",
    {"database", "user", "application", "state"});
constexpr auto kBehindIdle = metrics::gauge(
    "pgconn_blocked_by_idle_in_transaction",
    "Client sessions that wait, directly or not, for a lock of a session that is idle in a "
    "transaction, by the owner of that session.",
    {"database", "user", "application"});
constexpr auto kDepth = metrics::gauge(
    "pgconn_blocking_chain_depth",
    "Waits from the root of a chain to the session furthest behind it: 0 if nobody waits, 1 if all "
    "wait for a root itself.",
    {}, Unit::kNone, Fold::kMax);

constexpr auto kUntraced = metrics::gauge(
    "pgconn_blocked_sessions_untraced",
    "Sessions that wait for a lock and whose blockers were not asked for, since more than `traced` "
    "wait: blocking_sessions, blocked_by_idle_in_transaction and the depth leave them out.");

constexpr const metrics::Descriptor* kDescriptors[] = {&kBlocked,    &kBlockedOldest, &kBlocking,
                                                       &kBehindIdle, &kDepth,         &kUntraced};

constexpr CollectorInfo kInfo{
    .name = "blocking",
    .help = "Who waits for locks, who holds them, and how many stand behind an idle transaction.",
    .need = Need::kSessions,
    .descriptors = kDescriptors};

constexpr Pid kPreparedTransaction = 0;  // as pg_blocking_pids() tells it

struct Blocked {
  std::int64_t sessions = 0;
  std::optional<double> oldest;
};

class LockWaits {
 public:
  explicit LockWaits(const std::vector<SessionGroup>& groups) {
    for (const SessionGroup& group : groups) {
      if (group.is_counted()) blocked_[group.database];
      for (const LockWaiter& waiter : group.lock_waiters()) add(group, waiter);
    }
    if (!group_of_.empty()) find_roots(groups);
  }

  void add_to(metrics::MetricBatch& batch) const {
    for (const auto& [database, blocked] : blocked_) {
      batch.add(kBlocked, static_cast<double>(blocked.sessions), {std::string(database)});
      if (blocked.oldest) batch.add(kBlockedOldest, *blocked.oldest, {std::string(database)});
    }
    add_roots(batch);
    add_behind_idle(batch);
    batch.add(kDepth, static_cast<double>(graph_.depth()));
    batch.add(kUntraced, static_cast<double>(untraced_));
  }

 private:
  void add(const SessionGroup& group, const LockWaiter& waiter) {
    graph_.add(waiter.pid, waiter.blockers);
    group_of_[waiter.pid] = &group;
    untraced_ += waiter.traced ? 0 : 1;
    for (Pid blocker : waiter.blockers) {
      if (blocker == kPreparedTransaction) behind_prepared_.insert(group.database);
    }
    if (!group.is_counted()) return;
    Blocked& blocked = blocked_[group.database];
    ++blocked.sessions;
    if (waiter.seconds) blocked.oldest = std::max(blocked.oldest.value_or(0), *waiter.seconds);
  }

  // A root that is in no group has ended since, and its waiters are about to go on.
  void find_roots(const std::vector<SessionGroup>& groups) {
    const std::vector<Pid> pids = graph_.roots();
    const std::set<Pid> wanted(pids.begin(), pids.end());
    for (const SessionGroup& group : groups) {
      for (Pid pid : group.pids()) {
        if (wanted.contains(pid)) roots_[pid] = &group;
      }
    }
  }

  void add_roots(metrics::MetricBatch& batch) const {
    using Key = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
    std::map<Key, std::int64_t> roots;
    for (const auto& [pid, group] : roots_) {
      const std::string_view name = group->is_client() ? group->application : group->backend_type;
      ++roots[{group->database, group->role, name, group->state}];
    }
    for (std::string_view database : behind_prepared_) {
      ++roots[{database, "", "", "prepared transaction"}];
    }
    for (const auto& [key, sessions] : roots) {
      const auto& [database, role, application, state] = key;
      batch.add(
          kBlocking, static_cast<double>(sessions),
          {std::string(database), std::string(role), std::string(application), std::string(state)});
    }
  }

  void add_behind_idle(metrics::MetricBatch& batch) const {
    using Owner = std::tuple<std::string_view, std::string_view, std::string_view>;
    std::map<Owner, std::vector<Pid>> owners;
    for (const auto& [pid, group] : roots_) {
      if (group->is_idle_in_transaction()) {
        owners[{group->database, group->role, group->application}].push_back(pid);
      }
    }
    for (const auto& [owner, pids] : owners) {
      std::int64_t sessions = 0;
      for (Pid pid : graph_.behind(pids)) sessions += group_of_.at(pid)->is_counted() ? 1 : 0;
      const auto& [database, role, application] = owner;
      batch.add(kBehindIdle, static_cast<double>(sessions),
                {std::string(database), std::string(role), std::string(application)});
    }
  }

  WaitGraph graph_;
  std::int64_t untraced_ = 0;
  std::map<Pid, const SessionGroup*> group_of_;  // of waiters
  std::map<Pid, const SessionGroup*> roots_;
  std::map<std::string_view, Blocked> blocked_;  // by database
  std::set<std::string_view> behind_prepared_;   // databases of those a prepared transaction blocks
};

class BlockingCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options& options) const override {
    return {&activity_reading(options)};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    LockWaits(activity_of(readings, context.options)).add_to(output.batch);
    return output;
  }
};

}  // namespace

const Collector& blocking_collector() {
  static const BlockingCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
