#include "exporter/sources/source.h"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <stdexcept>

#include "tests/support/catch.h"

using namespace std::chrono_literals;
using namespace pgconn;
using exporter::Background;
using exporter::Source;

namespace {

// A source whose first turns fail.
class Failing final : public Source {
 public:
  Failing(Background& background, async::TimeSource& time, int failures)
      : Source(background, time), failures_(failures) {}
  metrics::MetricBatch metrics() const override { return {}; }
  void add_to(probes::Evidence&, const probes::Incident&) const override {}
  int turns() const { return turns_; }

 private:
  void read(bool) override {
    if (++turns_ <= failures_) throw std::runtime_error("an error of ours");
  }
  int failures_;
  std::atomic<int> turns_{0};
};

// A source on a background thread, and the loop of whoever looks at it.
struct Watched {
  explicit Watched(int failures) : source(std::make_shared<Failing>(background, time, failures)) {
    source->start(1h);
  }

  // Whether a look came back before its deadline.
  bool looks(async::Clock::duration patience = 10s) {
    const async::Clock::time_point deadline = time.now() + patience;
    bool done = false;
    asio::co_spawn(io, source->look(deadline), [&](const std::exception_ptr&) { done = true; });
    io.restart();
    while (!done) io.run_one();
    return time.now() < deadline;
  }

  asio::io_context io;
  async::SystemTime time{io.get_executor()};
  Background background;
  std::shared_ptr<Failing> source;
};

}  // namespace

TEST_CASE("a look comes back when the background thread has had a turn since it was asked for") {
  Watched watched(0);
  CHECK(watched.looks());
  const int turns = watched.source->turns();
  CHECK(watched.looks());
  CHECK(watched.source->turns() > turns);
}

TEST_CASE("a turn that fails ends neither the thread nor the source, and answers all the same") {
  Watched watched(1);
  CHECK(watched.looks());
  CHECK(watched.looks());
  CHECK(watched.source->turns() >= 2);
}

TEST_CASE("a source that was stopped has no more turns, and a look at it ends at its deadline") {
  Watched watched(0);
  REQUIRE(watched.looks());
  const int turns = watched.source->turns();
  watched.source->stop();
  CHECK_FALSE(watched.looks(50ms));
  CHECK(watched.source->turns() == turns);
}
