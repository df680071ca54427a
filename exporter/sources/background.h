// One thread for work that may block for a moment: reading log files, looking at /proc. Jobs take
// turns, and each must keep its turns short.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pgconn::exporter {

class Background {
 public:
  class Job {
   public:
    virtual ~Job() = default;
    // One turn, on the background thread. Must not throw.
    virtual void run() = 0;
  };

  Background() = default;
  // Waits for the turn under way.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Gives the job a turn now and at each interval, for as long as somebody else owns it. Any
  // thread. The thread is started for the first job.
  void add(std::weak_ptr<Job> job, std::chrono::milliseconds interval);
  // Gives the job a turn soon. Any thread.
  void wake(const Job& job);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::weak_ptr<Job> job;
    const Job* key;  // only for comparison
    std::chrono::milliseconds interval;
    Clock::time_point next;
  };

  void work();
  std::shared_ptr<Job> take_next(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace pgconn::exporter
