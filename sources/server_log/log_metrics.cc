#include "sources/server_log/log_metrics.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "postgres/sqlstate.h"
#include "sources/server_log/classify_rules.h"
#include "sources/server_log/log_families.h"

namespace pgconn::server_log {
namespace {

// From a health check's session to one that a pool keeps for a day.
const std::vector<double> kSessionBounds = {0.01, 0.1, 1, 10, 60, 300, 900, 3600, 14400, 86400};
// From a fork and a trusted login to one that waits for a directory service.
const std::vector<double> kLoginBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,   0.25,   0.5,   1,    2.5,   10};

template <typename Enumeration>
std::string name(std::size_t i) {
  return std::string(to_string(static_cast<Enumeration>(i)));
}

double unix_time(TimePoint time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

std::optional<Event> event_named(std::string_view text) {
  for (std::size_t i = 0; i < kEvents; ++i) {
    if (to_string(static_cast<Event>(i)) == text) return static_cast<Event>(i);
  }
  return std::nullopt;
}

void set(std::uint64_t& to, double value) {
  constexpr double kMost = 9e15;  // up to which a double counts exactly
  to = static_cast<std::uint64_t>(std::min(value, kMost));
}
void set(double& to, double value) { to = value; }

}  // namespace

LogMetrics::Histogram::Histogram(std::vector<double> upper_bounds)
    : bounds(std::move(upper_bounds)), buckets(bounds.size() + 1) {}

void LogMetrics::Histogram::observe(double seconds) {
  const auto above = std::ranges::lower_bound(bounds, seconds);
  ++buckets[static_cast<std::size_t>(above - bounds.begin())];
  sum += seconds;
}

metrics::HistogramValue LogMetrics::Histogram::value() const {
  metrics::HistogramValue result;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    cumulative += buckets[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    result.buckets.push_back({bound, cumulative});
  }
  result.sum = sum;
  return result;
}

LogMetrics::LogMetrics(Listener listener)
    : listener_(std::move(listener)),
      sessions_(kSessionBounds),
      logins_{Histogram(kLoginBounds), Histogram(kLoginBounds), Histogram(kLoginBounds)} {}

void LogMetrics::foresee(bool has_sqlstate) {
  for (const Rule& rule : rules()) {
    if (!rule.event) continue;
    if (!has_sqlstate) {
      of_event(*rule.event, "");
    } else if (rule.sqlstate.size() == 5) {
      of_event(*rule.event, postgres::sqlstate_label(rule.sqlstate));
    }
  }
}

std::uint64_t& LogMetrics::of_event(Event event, std::string_view sqlstate) {
  auto& counts = events_.at(static_cast<std::size_t>(event));
  const auto found = std::ranges::find(counts, sqlstate, &EventCount::sqlstate);
  if (found != counts.end()) return found->count;
  return counts.emplace_back(EventCount{sqlstate, 0}).count;
}

void LogMetrics::take(const Entry& entry, TimePoint now) {
  Classified classified = classify(entry);
  if (losses_.is_repeated(entry, classified, now)) classified.event.reset();
  count(entry, classified, now);
  if (listener_ && classified.event) listener_(entry, classified);
}

void LogMetrics::count(const Entry& entry, const Classified& classified, TimePoint now) {
  common_.count(entry.severity);
  if (!classified.event) return;
  ++of_event(*classified.event, classified.sqlstate);
  double& last = last_.at(static_cast<std::size_t>(*classified.event));
  last = std::max(last, unix_time(entry.time.value_or(now)));
  if (classified.refusal) ++refusals_.at(static_cast<std::size_t>(*classified.refusal));
  if (classified.session) {
    sessions_.observe(std::chrono::duration<double>(*classified.session).count());
  }
  if (!classified.login) return;
  has_logins_ = true;
  for (std::size_t i = 0; i < kLoginStages; ++i) {
    logins_.at(i).observe(std::chrono::duration<double>(classified.login->stages.at(i)).count());
  }
}

metrics::MetricBatch LogMetrics::collect(const ParseFaults& faults, const Lag& lag) const {
  metrics::MetricBatch batch;
  for (std::size_t i = 0; i < kEvents; ++i) {
    for (const EventCount& event : events_.at(i)) {
      batch.add(families::kEventsTotal, static_cast<double>(event.count),
                {name<Event>(i), std::string(event.sqlstate)});
    }
    if (last_.at(i) > 0) batch.add(families::kLastEvent, last_.at(i), {name<Event>(i)});
  }
  for (std::size_t i = 0; i < kRefusals; ++i) {
    batch.add(families::kRefusedLogins, static_cast<double>(refusals_.at(i)), {name<Refusal>(i)});
  }
  batch.add(families::kSessionDuration, sessions_.value());
  // Before PostgreSQL 18 there are never any.
  for (std::size_t i = 0; has_logins_ && i < kLoginStages; ++i) {
    batch.add(families::kLoginDuration, logins_.at(i).value(), {name<LoginStage>(i)});
  }
  common_.collect(faults, lag, batch);
  return batch;
}

template <typename Self, typename Visit>
void LogMetrics::visit(Self& self, Visit visit) {
  for (std::size_t i = 0; i < kEvents; ++i) {
    for (auto& event : self.events_.at(i)) {
      visit("event " + name<Event>(i) + " " + std::string(event.sqlstate), event.count);
    }
    visit("last " + name<Event>(i), self.last_.at(i));
  }
  for (std::size_t i = 0; i < kRefusals; ++i) {
    visit("refused " + name<Refusal>(i), self.refusals_.at(i));
  }
  const auto histogram = [&visit](const std::string& key, auto& of) {
    // By bound, so that a version with other buckets does not misread these.
    for (std::size_t i = 0; i < of.buckets.size(); ++i) {
      std::string bucket = key + " ";
      bucket += i < of.bounds.size() ? std::to_string(of.bounds[i]) : "inf";
      visit(bucket, of.buckets[i]);
    }
    visit(key + " sum", of.sum);
  };
  histogram("session", self.sessions_);
  for (std::size_t i = 0; i < kLoginStages; ++i) {
    histogram("login " + name<LoginStage>(i), self.logins_.at(i));
  }
}

Totals LogMetrics::totals(const ParseFaults& faults) const {
  Totals totals;
  visit(*this, [&totals](std::string key, const auto& value) {
    if (value > 0) totals.emplace(std::move(key), static_cast<double>(value));
  });
  common_.add_totals(faults, totals);
  return totals;
}

void LogMetrics::restore(const Totals& totals) {
  // The series of unexpected events must exist to be visited.
  constexpr std::string_view kEvent = "event ";
  for (const auto& [key, value] : totals) {
    if (!key.starts_with(kEvent)) continue;
    const std::string_view rest = std::string_view(key).substr(kEvent.size());
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const auto event = event_named(rest.substr(0, space));
    const std::string_view sqlstate = rest.substr(std::min(space + 1, rest.size()));
    if (event) of_event(*event, postgres::sqlstate_label(sqlstate));
  }
  visit(*this, [&totals](const std::string& key, auto& value) {
    if (const auto found = totals.find(key); found != totals.end()) set(value, found->second);
  });
  common_.restore(totals);
  has_logins_ = std::ranges::any_of(logins_.front().buckets, [](auto count) { return count > 0; });
}

}  // namespace pgconn::server_log
