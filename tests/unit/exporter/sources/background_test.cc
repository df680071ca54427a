#include "exporter/sources/background.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using pgconn::exporter::Background;

namespace {

// Counts its turns, and lets a test wait for them.
class Counting : public Background::Job {
 public:
  void run() override {
    const std::lock_guard lock(mutex_);
    ++turns_;
    thread_ = std::this_thread::get_id();
    changed_.notify_all();
  }
  bool reaches(int turns) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return turns_ >= turns; });
  }
  std::thread::id thread() {
    const std::lock_guard lock(mutex_);
    return thread_;
  }
  int turns() {
    const std::lock_guard lock(mutex_);
    return turns_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int turns_ = 0;
  std::thread::id thread_;
};

}  // namespace

TEST_CASE("a job has its first turn at once, on the background thread") {
  Background background;
  const auto job = std::make_shared<Counting>();
  background.add(job, 1h);
  REQUIRE(job->reaches(1));
  CHECK(job->thread() != std::this_thread::get_id());
}

TEST_CASE("a job has a turn at each interval, and sooner when it is woken") {
  Background background;
  const auto often = std::make_shared<Counting>();
  const auto seldom = std::make_shared<Counting>();
  background.add(often, 5ms);
  background.add(seldom, 1h);
  CHECK(often->reaches(3));
  REQUIRE(seldom->reaches(1));
  background.wake(*seldom);
  CHECK(seldom->reaches(2));
}

TEST_CASE("a job that nobody owns any more has no more turns, and the others go on") {
  Background background;
  auto gone = std::make_shared<Counting>();
  const auto stays = std::make_shared<Counting>();
  background.add(gone, 1ms);
  REQUIRE(gone->reaches(1));
  gone.reset();
  background.add(stays, 1ms);
  CHECK(stays->reaches(3));
}

TEST_CASE("the thread ends with the background, also if it never had a job") {
  {
    const Background idle;
  }
  const auto job = std::make_shared<Counting>();
  {
    Background background;
    background.add(job, 1ms);
    REQUIRE(job->reaches(1));
  }
  const int turns = job->turns();
  CHECK(job->turns() == turns);
}
