// When the log is to be told of something that fails again and again: once when it begins or fails
// in another way, now and then while it lasts, and once when it is over. A value; the caller brings
// the clock, so it is tested without one. Any thread.
#pragma once

#include <chrono>
#include <deque>
#include <set>
#include <string>

namespace pgconn::exporter {

class Outage {
 public:
  using Clock = std::chrono::steady_clock;

  enum class News { kNone, kFailing, kStillFailing, kOver };

  // A line each `summary` while it lasts. What fails again within that time is the same outage, and
  // if it comes and goes all the time it is told no more than a few times in each `summary`.
  explicit Outage(Clock::duration summary = std::chrono::minutes(5)) : summary_(summary) {}

  // An attempt failed in a way that `how` names: few different ones.
  News failed(const std::string& how, Clock::time_point now);
  // An attempt succeeded.
  News succeeded(Clock::time_point now);

  // Of the outage under way, or the last one.
  int attempts() const { return attempts_; }  // that failed
  Clock::duration lasted(Clock::time_point now) const { return now - since_; }

 private:
  bool may_tell(Clock::time_point now) const;
  News tell(News news, Clock::time_point now);

  Clock::duration summary_;
  bool failing_ = false;
  bool failure_told_ = false;
  int attempts_ = 0;
  std::set<std::string> ways_;  // of failing, since it began or came back
  Clock::time_point since_{}, failed_last_{};
  std::deque<Clock::time_point> told_;  // the latest
};

}  // namespace pgconn::exporter
