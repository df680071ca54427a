#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "collectors/postgres/activity.h"
#include "collectors/postgres/builtin.h"
#include "collectors/postgres/overrides.h"
#include "collectors/postgres/readings.h"
#include "collectors/postgres/server_settings.h"
#include "collectors/postgres/setting_rows.h"
#include "metrics/cap.h"

namespace pgconn::collectors {
namespace {

using metrics::Fold;
using metrics::Unit;
using std::chrono::seconds;

constexpr auto kSessions =
    metrics::gauge("pgconn_sessions", "Client sessions by PostgreSQL's own name of their state.",
                   {"database", "user", "application", "state"});
constexpr auto kWaiting = metrics::gauge("pgconn_sessions_waiting",
                                         "Active client sessions that wait, by what they wait for.",
                                         {"wait_event_type", "wait_event"});
constexpr auto kOverAge =
    metrics::gauge("pgconn_sessions_over_age",
                   "Client sessions that have been in their state for longer than `age` seconds.",
                   {"state", "age"});
constexpr auto kStateOldest = metrics::gauge(
    "pgconn_session_state_oldest_seconds",
    "For how long the client session that changed its state the longest ago has been in it.",
    {"database", "user", "application", "state"}, Unit::kSeconds, Fold::kMax);
constexpr auto kTransactionOldest = metrics::gauge(
    "pgconn_transaction_oldest_seconds", "Age of the oldest open transaction of a client session.",
    {"database", "user", "application", "state"}, Unit::kSeconds, Fold::kMax);
constexpr auto kSessionOldest =
    metrics::gauge("pgconn_session_oldest_seconds", "Age of the oldest client session.", {},
                   Unit::kSeconds, Fold::kMax);
constexpr auto kIdleRatio = metrics::gauge(
    "pgconn_idle_in_transaction_timeout_ratio",
    "Longest time a session has been idle in a transaction, as a part of the timeout that applies "
    "to it (role in database, role, database, server); no series where that is 0 or not known. "
    "Without pg_dump, which switches it off for itself.",
    {"database", "user"}, Unit::kRatio, Fold::kMax);
constexpr auto kByClient =
    metrics::gauge("pgconn_sessions_by_client",
                   "Client sessions by client address: the configured number of largest ones, the "
                   "rest summed; `unix` is the local socket.",
                   {"client"});

// It switches the timeout off for itself, and its leader waits in a transaction for its workers.
constexpr std::string_view kDump = "pg_dump";

constexpr const metrics::Descriptor* kDescriptors[] = {
    &kSessions,          &kWaiting,       &kOverAge,   &kStateOldest,
    &kTransactionOldest, &kSessionOldest, &kIdleRatio, &kByClient};

constexpr CollectorInfo kInfo{
    .name = "sessions",
    .help = "Client sessions by state, what they wait for, and for how long.",
    .need = Need::kSessions,
    .descriptors = kDescriptors};

// States whose counts are told even when they are 0.
constexpr std::string_view kUsualStates[] = {"active", "idle", "idle in transaction",
                                             "idle in transaction (aborted)"};

// PostgreSQL's name (18) for a session that has not reported a state yet.
std::string_view state_of(const SessionGroup& group) {
  return group.state.empty() ? "starting" : group.state;
}

void keep_largest(std::optional<double>& largest, std::optional<double> value) {
  if (value && (!largest || *value > *largest)) largest = value;
}

// What is summed up over the groups before any of it is added.
class Summary {
 public:
  explicit Summary(const Options& options) : options_(options) {
    for (std::string_view state : kUsualStates) over_age_[state].resize(options.ages.size());
  }

  void count(const SessionGroup& group) {
    Owner& owner = owners_[{group.database, group.role, group.application, state_of(group)}];
    owner.sessions += group.sessions;
    keep_largest(owner.transaction_age, group.transaction_age);
    keep_largest(session_age_, group.session_age);
    if (!group.wait_event.empty()) {
      waiting_[{group.wait_event_type, group.wait_event}] += group.sessions;
    }
    if (options_.by_client > 0) {
      clients_[group.client.empty() ? "unix" : group.client] += group.sessions;
    }
    count_ages(group, owner);
  }

  void add_to(metrics::MetricBatch& batch) const {
    for (const auto& [key, owner] : owners_) {
      const auto& [database, role, application, state] = key;
      const auto labels = [&, d = database, r = role, a = application, s = state] {
        return std::vector{std::string(d), std::string(r), std::string(a), std::string(s)};
      };
      batch.add(kSessions, static_cast<double>(owner.sessions), labels());
      if (owner.state_age) batch.add(kStateOldest, *owner.state_age, labels());
      if (owner.transaction_age) batch.add(kTransactionOldest, *owner.transaction_age, labels());
    }
    for (const auto& [event, sessions] : waiting_) {
      batch.add(kWaiting, static_cast<double>(sessions),
                {std::string(event.first), std::string(event.second)});
    }
    for (const auto& [state, counts] : over_age_) {
      for (std::size_t i = 0; i < counts.size(); ++i) {
        batch.add(kOverAge, static_cast<double>(counts[i]),
                  {std::string(state), std::to_string(options_.ages[i].count())});
      }
    }
    if (session_age_) batch.add(kSessionOldest, *session_age_);
    add_clients(batch);
  }

  // The longest idle time in a transaction by database and role, of sessions that may be ended for
  // it.
  const auto& idle_in_transaction() const { return idle_in_transaction_; }

 private:
  struct Owner {
    std::int64_t sessions = 0;
    std::optional<double> state_age, transaction_age;
  };
  using OwnerKey =
      std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;

  void count_ages(const SessionGroup& group, Owner& owner) {
    auto& over_age = over_age_[state_of(group)];
    over_age.resize(options_.ages.size());
    std::optional<double> oldest;
    for (double age : group.state_ages()) {
      keep_largest(oldest, age);
      for (std::size_t i = 0; i < options_.ages.size(); ++i) {
        if (age > static_cast<double>(options_.ages[i].count())) ++over_age[i];
      }
    }
    keep_largest(owner.state_age, oldest);
    if (group.is_idle_in_transaction() && group.application != kDump) {
      keep_largest(idle_in_transaction_[{group.database, group.role}], oldest);
    }
  }

  void add_clients(metrics::MetricBatch& batch) const {
    std::vector<std::pair<std::string_view, std::int64_t>> clients(clients_.begin(),
                                                                   clients_.end());
    std::ranges::stable_sort(clients, std::greater<>(), [](const auto& c) { return c.second; });
    std::int64_t others = 0;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (i < static_cast<std::size_t>(options_.by_client)) {
        batch.add(kByClient, static_cast<double>(clients[i].second),
                  {std::string(clients[i].first)});
      } else {
        others += clients[i].second;
      }
    }
    if (others > 0) {
      batch.add(kByClient, static_cast<double>(others), {std::string(metrics::kOther)});
    }
  }

  const Options& options_;
  std::map<OwnerKey, Owner> owners_;
  std::map<std::pair<std::string_view, std::string_view>, std::int64_t> waiting_;
  std::map<std::string_view, std::vector<std::int64_t>> over_age_;
  std::map<std::string_view, std::int64_t> clients_;
  std::map<std::pair<std::string_view, std::string_view>, std::optional<double>>
      idle_in_transaction_;
  std::optional<double> session_age_;
};

void add_timeout_ratios(const Summary& summary, const Readings& readings,
                        metrics::MetricBatch& batch) {
  // Without the overrides nobody knows whose timeout is the server's.
  if (readings.find(overrides_reading()) == nullptr) return;
  const Overrides& overrides = readings.parsed(overrides_reading(), read_overrides);
  const ServerSettings settings = readings.find(settings_reading()) == nullptr
                                      ? ServerSettings()
                                      : readings.parsed(settings_reading(), read_settings);
  constexpr std::string_view kTimeout = "idle_in_transaction_session_timeout";
  for (const auto& [owner, idle] : summary.idle_in_transaction()) {
    const auto timeout =
        overrides.effective(kTimeout, owner.first, owner.second, settings.seconds(kTimeout));
    if (!idle || !timeout || *timeout <= 0) continue;
    batch.add(kIdleRatio, *idle / *timeout, {std::string(owner.first), std::string(owner.second)});
  }
}

class SessionsCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options& options) const override {
    return {&activity_reading(options), &settings_reading(), &overrides_reading()};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    metrics::MetricBatch& batch = output.batch;
    Summary summary(context.options);
    for (const SessionGroup& group : activity_of(readings, context.options)) {
      if (group.is_counted()) summary.count(group);
    }
    summary.add_to(batch);
    add_timeout_ratios(summary, readings, batch);
    return output;
  }
};

}  // namespace

const Collector& sessions_collector() {
  static const SessionsCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
