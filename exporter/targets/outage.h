// Decides when to log something that fails again and again: once when it begins or fails in another
// way, now and then while it lasts, and once when it is over. A value; the caller supplies the
// time, so tests need no clock. Any thread.
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

  // One line per `summary` while it lasts. A failure within that time of the last one is the same
  // outage, and one that keeps coming and going is logged only a few times per `summary`.
  explicit Outage(Clock::duration summary = std::chrono::minutes(5)) : summary_(summary) {}

  // An attempt failed in the way that `how` names, of which there are few.
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
