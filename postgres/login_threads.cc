#include "postgres/login_threads.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "postgres/library.h"

namespace pgconn::postgres {
namespace {

// Those that were given up among them; a target has one of these at most.
constexpr int kMostThreads = 64;
constexpr std::chrono::seconds kIdle(10);
// Lower priority than the threads that measure.
constexpr int kNice = 10;

std::atomic<int> all_given_up = 0;

struct Job {
  enum class State { kQueued, kRunning, kDone, kGivenUp };

  PGconn* connection = nullptr;
  std::shared_ptr<void> companion;
  GivenUp given_up;

  std::mutex mutex;  // of what follows
  State state = State::kQueued;
  PostgresPollingStatusType status = PGRES_POLLING_FAILED;
  int error = 0;
  std::optional<asio::any_io_executor>
      executor;  // of the waiting coroutine; absent once none waits

  asio::steady_timer* waiting = nullptr;  // I/O thread only
};

void bury(Job& job) {
  PQfinish(job.connection);
  --*job.given_up;
  --all_given_up;
}

void run(const std::shared_ptr<Job>& job) {
  {
    const std::lock_guard lock(job->mutex);
    if (job->state == Job::State::kGivenUp) {
      bury(*job);
      return;
    }
    job->state = Job::State::kRunning;
  }
  errno = 0;
  const PostgresPollingStatusType status = PQconnectPoll(job->connection);
  const int error = errno;
  const std::lock_guard lock(job->mutex);
  if (job->state == Job::State::kGivenUp) {
    bury(*job);
    return;
  }
  job->state = Job::State::kDone;
  job->status = status;
  job->error = error;
  if (!job->executor) return;
  asio::post(*job->executor, [job] {
    if (job->waiting != nullptr) job->waiting->cancel();
  });
}

// Never destroyed: a thread that computes may outlive main().
class Pool {
 public:
  static Pool& instance() {
    static Pool& pool = *new Pool;
    return pool;
  }

  void submit(std::shared_ptr<Job> job) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    if (idle_ < static_cast<int>(queue_.size()) && threads_ < kMostThreads) start();
    arrived_.notify_one();
  }

  // False if a thread has taken it already.
  bool take_back(const std::shared_ptr<Job>& job) {
    const std::lock_guard lock(mutex_);
    return std::erase(queue_, job) > 0;
  }

 private:
  void start() {
    sigset_t all, before;  // signals belong to other threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] { work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // Queued steps wait for another thread, or for their deadline.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void work() {
    pthread_setname_np(pthread_self(), "login");
    setpriority(PRIO_PROCESS, 0, kNice);  // on Linux for this thread alone
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      const bool more = arrived_.wait_for(lock, kIdle, [this] { return next() != queue_.end(); });
      --idle_;
      if (!more) break;
      const auto found = next();
      const std::shared_ptr<Job> job = std::move(*found);
      queue_.erase(found);
      busy_.insert(job->given_up.get());
      lock.unlock();
      run(job);
      lock.lock();
      busy_.erase(job->given_up.get());
      arrived_.notify_all();
    }
    --threads_;
  }

  // One step of a target at a time: a peer that makes us compute for hours gets one thread, not
  // all.
  std::deque<std::shared_ptr<Job>>::iterator next() {
    return std::ranges::find_if(
        queue_, [this](const auto& job) { return !busy_.contains(job->given_up.get()); });
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::set<const void*> busy_;  // targets of the steps that run
  int threads_ = 0, idle_ = 0;
};

// The one that waits for a job. Whatever ends the wait, the connection has one owner afterwards.
class Waiter {
 public:
  Waiter(std::shared_ptr<Job> job, std::function<void()> disown)
      : job_(std::move(job)), disown_(std::move(disown)) {}
  ~Waiter() { leave(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  LoginStep leave() {
    if (left_) return {};
    left_ = true;
    job_->waiting = nullptr;
    if (Pool::instance().take_back(job_)) return {};
    const std::lock_guard lock(job_->mutex);
    job_->executor.reset();
    if (job_->state == Job::State::kDone) {
      return {LoginStep::Outcome::kDone, job_->status, job_->error};
    }
    job_->state = Job::State::kGivenUp;
    ++*job_->given_up;
    ++all_given_up;
    disown_();
    return {LoginStep::Outcome::kGivenUp, PGRES_POLLING_FAILED, 0};
  }

 private:
  std::shared_ptr<Job> job_;
  std::function<void()> disown_;
  bool left_ = false;
};

}  // namespace

int given_up_logins() { return all_given_up; }

asio::awaitable<LoginStep> poll_apart(asio::any_io_executor executor, PGconn* connection,
                                      std::shared_ptr<void> companion, GivenUp given_up,
                                      std::chrono::steady_clock::time_point deadline,
                                      std::function<void()> disown) {
  const auto job = std::make_shared<Job>();
  job->connection = connection;
  job->companion = std::move(companion);
  job->given_up = std::move(given_up);
  job->executor = executor;
  asio::steady_timer timer(executor, deadline);
  job->waiting = &timer;
  Waiter waiter(job, std::move(disown));
  Pool::instance().submit(job);
  asio::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const LoginStep step = waiter.leave();
  co_return step;
}

}  // namespace pgconn::postgres
