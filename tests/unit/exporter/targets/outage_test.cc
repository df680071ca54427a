#include "exporter/targets/outage.h"

#include <map>

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using pgconn::exporter::Outage;
using enum Outage::News;

namespace {

// An outage and its clock.
struct Timeline {
  Outage outage{5min};
  Outage::Clock::time_point now{1000h};
  std::map<Outage::News, int> lines;

  Outage::News fails(const std::string& how = "refused") { return noted(outage.failed(how, now)); }
  Outage::News succeeds() { return noted(outage.succeeded(now)); }
  int told() const {
    int sum = 0;
    for (const auto& [news, count] : lines) sum += news == kNone ? 0 : count;
    return sum;
  }

 private:
  Outage::News noted(Outage::News news) {
    ++lines[news];
    now += 15s;
    return news;
  }
};

}  // namespace

TEST_CASE("what works is no news") {
  Timeline time;
  CHECK(time.succeeds() == kNone);
  CHECK(time.succeeds() == kNone);
}

TEST_CASE("a failure is reported when it begins, and when it is over") {
  Timeline time;
  CHECK(time.fails() == kFailing);
  CHECK(time.fails() == kNone);
  CHECK(time.succeeds() == kOver);
  CHECK(time.succeeds() == kNone);
}

TEST_CASE("another way of failing is reported once, however often the ways alternate") {
  Timeline time;
  CHECK(time.fails("timeout") == kFailing);
  CHECK(time.fails("unreachable") == kFailing);
  for (int i = 0; i < 8; ++i) CHECK(time.fails(i % 2 == 0 ? "timeout" : "unreachable") == kNone);
}

TEST_CASE("an hour of failing is a line when it begins and one every five minutes") {
  Timeline time;
  const auto begin = time.now;
  while (time.now < begin + 1h) time.fails();
  CHECK(time.lines[kFailing] == 1);
  CHECK(time.lines[kStillFailing] == 11);
  CHECK(time.outage.attempts() == 240);
  CHECK(time.outage.lasted(time.now) == 1h);
}

TEST_CASE("a failure that comes and goes all the time causes no flood") {
  Timeline time;
  const auto begin = time.now;
  while (time.now < begin + 1h) {
    time.fails();
    time.succeeds();
  }
  CHECK(time.told() <= 5 * 12);
  CHECK(time.lines[kStillFailing] + time.lines[kFailing] == time.lines[kOver]);
  CHECK(time.outage.attempts() == 120);
}

TEST_CASE("what fails again soon is reported at once") {
  Timeline time;
  time.fails();
  time.succeeds();
  CHECK(time.fails() == kFailing);
  CHECK(time.outage.attempts() == 2);
  CHECK(time.succeeds() == kOver);
}

TEST_CASE("a failure long after the last one begins a new outage") {
  Timeline time;
  time.fails();
  time.succeeds();
  time.now += 5min;
  CHECK(time.fails() == kFailing);
  CHECK(time.outage.attempts() == 1);
  CHECK(time.outage.lasted(time.now) == 15s);
}

TEST_CASE("an attempt each ten minutes goes on with the same outage") {
  Timeline time;
  time.fails();
  time.now += 10min;
  CHECK(time.fails() == kStillFailing);
  CHECK(time.outage.attempts() == 2);
}
