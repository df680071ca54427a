// Counts the scrapes under way, refuses those above a limit, and can wait until there are none.
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace pgconn::exporter {

class ScrapeGate {
 public:
  explicit ScrapeGate(int limit) : limit_(limit) {}

  // Each true result requires one leave().
  bool enter() {
    const std::lock_guard lock(mutex_);
    if (inside_ >= limit_) return false;
    ++inside_;
    return true;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }
  void wait_until_empty(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    empty_.wait_for(lock, patience, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  int inside_ = 0;
  int limit_;
};

// A place inside for a scope; false if there was none.
class Entry {
 public:
  explicit Entry(ScrapeGate& gate) : gate_(gate), inside_(gate.enter()) {}
  ~Entry() {
    if (inside_) gate_.leave();
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  explicit operator bool() const { return inside_; }

 private:
  ScrapeGate& gate_;
  bool inside_;
};

}  // namespace pgconn::exporter
