#include "exporter/sources/background.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace pgconn::exporter {

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Background::add(std::weak_ptr<Job> job, std::chrono::milliseconds interval) {
  const std::shared_ptr<Job> alive = job.lock();
  if (!alive) return;
  const std::lock_guard lock(mutex_);
  entries_.push_back({std::move(job), alive.get(), interval, Clock::now()});
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.notify_all();
}

void Background::wake(const Job& job) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.key == &job) entry.next = Clock::now();
  }
  changed_.notify_all();
}

// The job whose turn it is, or nothing once the thread must stop. Drops jobs that nobody owns any
// more.
std::shared_ptr<Background::Job> Background::take_next(std::unique_lock<std::mutex>& lock) {
  while (!stopped_) {
    std::erase_if(entries_, [](const Entry& entry) { return entry.job.expired(); });
    const auto next = std::min_element(
        entries_.begin(), entries_.end(),
        [](const Entry& one, const Entry& other) { return one.next < other.next; });
    if (next == entries_.end()) {
      changed_.wait(lock);
    } else if (next->next > Clock::now()) {
      changed_.wait_until(lock, next->next);
    } else {
      next->next = Clock::now() + next->interval;
      if (auto job = next->job.lock()) return job;
    }
  }
  return nullptr;
}

void Background::work() {
  pthread_setname_np(pthread_self(), "sources");
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      job = take_next(lock);
    }
    if (!job) return;
    job->run();
  }
}

}  // namespace pgconn::exporter
