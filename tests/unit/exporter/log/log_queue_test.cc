#include "exporter/log/log_queue.h"

#include <condition_variable>
#include <mutex>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::exporter::log {
namespace {

using namespace std::chrono_literals;

// A reader that can stop reading. Shared with the queue's thread, which may outlive the test.
struct Reader {
  std::mutex mutex;
  std::condition_variable changed;
  bool reads = true;
  int begun = 0;
  std::vector<std::string> lines;

  void take(const std::string& line) {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [this] { return reads; });
    lines.push_back(line);
  }
  void read(bool on) {
    const std::lock_guard lock(mutex);
    reads = on;
    changed.notify_all();
  }
  void await_begun(int lines_begun) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 10s, [&] { return begun >= lines_begun; }));
  }
};

LogQueue queue_to(const std::shared_ptr<Reader>& reader, std::size_t lines, std::size_t bytes) {
  return LogQueue([reader](const std::string& line) { reader->take(line); },
                  [](std::uint64_t dropped) { return std::to_string(dropped) + " lost"; }, lines,
                  bytes);
}

TEST_CASE("lines arrive in their order") {
  const auto reader = std::make_shared<Reader>();
  LogQueue queue = queue_to(reader, 10, 1000);
  for (const char* line : {"one", "two", "three"}) queue.push(line);
  REQUIRE(queue.drain(10s));
  CHECK(reader->lines == std::vector<std::string>{"one", "two", "three"});
  CHECK(queue.dropped() == 0);
}

TEST_CASE("lines that a stopped reader does not take are dropped, and reported when it is back") {
  const auto reader = std::make_shared<Reader>();
  LogQueue queue = queue_to(reader, 2, 1000);
  reader->read(false);
  queue.push("0");
  reader->await_begun(1);  // it waits for the reader now, out of the queue
  for (const char* line : {"1", "2", "3", "4"}) queue.push(line);
  CHECK(queue.dropped() == 2);
  CHECK_FALSE(queue.drain(1ms));
  reader->read(true);
  REQUIRE(queue.drain(10s));
  CHECK(reader->lines == std::vector<std::string>{"0", "1", "2 lost", "2"});
}

TEST_CASE("long lines fill the queue by their bytes") {
  const auto reader = std::make_shared<Reader>();
  LogQueue queue = queue_to(reader, 100, 10);
  reader->read(false);
  queue.push("0");
  reader->await_begun(1);
  queue.push("12345678");
  queue.push("123");
  CHECK(queue.dropped() == 1);
  reader->read(true);
  REQUIRE(queue.drain(10s));
}

}  // namespace
}  // namespace pgconn::exporter::log
