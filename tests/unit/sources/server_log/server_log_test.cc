#include "sources/server_log/server_log.h"

#include <fstream>
#include <string>

#include "metrics/exposition.h"
#include "sources/server_log/log_families.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::server_log {
namespace {

const std::string kHead = "2026-11-29 13:36:11.315 UTC [7] ";

std::string deadlock() {
  return kHead + "40P01 me@db ERROR:  deadlock detected\n" + kHead +
         "40P01 me@db STATEMENT:  select 'secret'\n";
}

class Scene {
 public:
  Scene() { start(); }

  // As after a kill: nothing is told to the one before.
  void start(const std::string& server = "orders") {
    log_.reset();
    log_.emplace(ServerLogOptions{
        {directory_.path("*.log")}, "%m [%p] %e %q%u@%d ", directory_.path("state"), server});
  }
  void append(const std::string& text) {
    std::ofstream(directory_.path("a.log"), std::ios::app) << text;
  }
  void poll() {
    for (int i = 0; i < 2; ++i) log_->poll(now_ += std::chrono::seconds(1), 1 << 20);
  }
  void poll_once() { log_->poll(now_ += std::chrono::seconds(1), 1 << 20); }
  std::string publish() {
    metrics::MetricBatch batch = log_->publish(now_);
    batch.unify();
    const metrics::LabeledBatch labeled{{}, &batch};
    return metrics::expose({&labeled, 1}, metrics::Format::kText);
  }
  // The value of a series as it is exposed; -1 if it is not.
  double shown(const std::string& series) {
    const std::string text = "\n" + publish();
    const std::size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }
  std::string problems() {
    std::string all;
    for (const Problem& problem : log_->take_problems()) all += problem.text + "\n";
    return all;
  }
  const test::TemporaryDirectory& directory() const { return directory_; }

 private:
  test::TemporaryDirectory directory_;
  TimePoint now_ = std::chrono::system_clock::now();
  std::optional<ServerLog> log_;
};

const std::string kDeadlocks = "pgconn_log_events_total{event=\"deadlock\",sqlstate=\"40P01\"}";

TEST_CASE("server log: counters of what is foreseen exist at 0") {
  Scene scene;
  CHECK(scene.shown(kDeadlocks) == 0);
  CHECK(scene.shown("pgconn_log_refused_logins_total{reason=\"no_slot\"}") == 0);
  CHECK(scene.shown("pgconn_log_lines_total{severity=\"fatal\"}") == 0);
  CHECK(scene.shown("pgconn_log_parse_errors_total{reason=\"torn\"}") == 0);
  CHECK(scene.shown("pgconn_log_last_event_timestamp_seconds{event=\"deadlock\"}") == -1);
  CHECK(scene.shown("pgconn_log_session_duration_seconds_count") == 0);
}

TEST_CASE("server log: an event counts with its severity and its time") {
  Scene scene;
  scene.append("");
  scene.poll();
  scene.append(deadlock() + kHead + "53300 me@db FATAL:  sorry, too many clients already\n" +
               kHead + "00000 me@db LOG:  disconnection: session time: 0:00:02.500 user=me\n" +
               kHead +
               "00000 me@db LOG:  connection ready: setup total=3.000 ms, fork=1.000 ms, "
               "authentication=1.500 ms\n");
  scene.poll();
  CHECK(scene.shown(kDeadlocks) == 1);
  CHECK(scene.shown("pgconn_log_lines_total{severity=\"error\"}") == 1);
  CHECK(scene.shown("pgconn_log_refused_logins_total{reason=\"no_slot\"}") == 1);
  CHECK(scene.shown("pgconn_log_last_event_timestamp_seconds{event=\"deadlock\"}") ==
        1795959371.315);
  CHECK(scene.shown("pgconn_log_session_duration_seconds_sum") == 2.5);
  CHECK(scene.shown("pgconn_log_session_duration_seconds_bucket{le=\"1\"}") == 0);
  CHECK(scene.shown("pgconn_log_session_duration_seconds_bucket{le=\"10\"}") == 1);
  CHECK(scene.shown("pgconn_log_login_duration_seconds_sum{stage=\"authentication\"}") == 0.0015);
}

TEST_CASE("server log: nothing that the log says is shown") {
  Scene scene;
  scene.append("");
  scene.poll();
  scene.append(deadlock() + kHead +
               "28P01 secret@secret FATAL:  password authentication failed "
               "for user \"secret\"\n");
  scene.append(kHead + "ZZ999 secret@secret ERROR:  secret\nsecret line\n");
  scene.poll();
  CHECK(scene.publish().find("secret") == std::string::npos);
  CHECK(scene.directory().read("state").find("secret") == std::string::npos);
  CHECK(scene.shown("pgconn_log_lines_total{severity=\"error\"}") == 2);
}

TEST_CASE("server log: counters go on after a kill, wherever between two publications it came") {
  for (int polls_after = 0; polls_after < 3; ++polls_after) {
    Scene scene;
    scene.append("");
    scene.poll();
    scene.append(deadlock() + "foreign line\n" + deadlock());
    scene.poll();
    CHECK(scene.shown(kDeadlocks) == 2);
    scene.append(deadlock());
    for (int i = 0; i < polls_after; ++i) scene.poll();
    scene.start();
    CHECK(scene.shown(kDeadlocks) == 2);
    scene.append(deadlock());
    scene.poll();
    CHECK(scene.shown(kDeadlocks) == 4);
    CHECK(scene.shown("pgconn_log_parse_errors_total{reason=\"unparsed\"}") == 1);
    CHECK(scene.shown("pgconn_log_lines_total{severity=\"error\"}") == 4);
  }
}

TEST_CASE("server log: one that ends before it looked does not make old entries news") {
  Scene scene;
  scene.append(deadlock());
  scene.publish();
  scene.start();
  scene.poll();
  CHECK(scene.shown(kDeadlocks) == 0);
  scene.append(deadlock());
  scene.poll();
  CHECK(scene.shown(kDeadlocks) == 1);
}

TEST_CASE("server log: what was wrong with lines goes on after a kill, with and without entries") {
  Scene scene;
  scene.append("");
  scene.poll();
  const std::string unparsed = "pgconn_log_parse_errors_total{reason=\"unparsed\"}";
  scene.append("foreign line\n");
  scene.poll();
  CHECK(scene.shown(unparsed) == 1);
  scene.start();
  CHECK(scene.shown(unparsed) == 1);
  scene.append(deadlock() + "foreign line\n");
  scene.poll_once();  // the entry before it is not out yet
  const double shown = scene.shown(unparsed);
  scene.start();
  CHECK(scene.shown(unparsed) == shown);
  scene.poll();
  CHECK(scene.shown(unparsed) == 2);
  CHECK(scene.shown(kDeadlocks) == 1);
}

TEST_CASE("server log: histograms and unforeseen SQLSTATEs go on after a kill too") {
  Scene scene;
  scene.append("");
  scene.poll();
  scene.append(kHead + "00000 me@db LOG:  disconnection: session time: 0:00:02.500 user=me\n" +
               kHead + "XX000 me@db LOG:  could not receive data from client: timed out\n");
  scene.poll();
  const std::string before = scene.publish();
  scene.start();
  CHECK(scene.publish() == before);
}

TEST_CASE("server log: a state file of another server, or damaged, is told and replaced") {
  Scene scene;
  scene.append(deadlock());
  scene.poll();
  scene.publish();
  scene.problems();
  scene.start("billing");
  CHECK(scene.problems().find("another server") != std::string::npos);
  CHECK(scene.shown("pgconn_log_troubles_total{reason=\"state\"}") == 1);
  scene.directory().write("state", "{");
  scene.start();
  CHECK(scene.problems().find("damaged") != std::string::npos);
  scene.poll();
  scene.publish();
  scene.start();
  CHECK(scene.problems().empty());
}

TEST_CASE("server log: a state file that cannot be written is told once, and counting goes on") {
  Scene scene;
  scene.append("");
  scene.poll();
  scene.problems();
  std::filesystem::create_directory(scene.directory().path("state.new"));
  scene.append(deadlock());
  scene.poll();
  CHECK(scene.shown(kDeadlocks) == 1);
  CHECK(scene.problems().find("cannot write the state file") != std::string::npos);
  scene.append(deadlock());
  scene.poll();
  CHECK(scene.shown(kDeadlocks) == 2);
  CHECK(scene.problems().empty());
}

TEST_CASE("server log: the listener is told of events only, with who it was") {
  const test::TemporaryDirectory directory;
  std::vector<std::string> told;
  ServerLog log({{directory.path("*.log")}, "%m [%p] %e %q%u@%d ", "", "x"},
                [&told](const Entry& entry, const Classified& classified) {
                  told.push_back(std::string(to_string(*classified.event)) + " " +
                                 std::string(entry.user.value_or("")));
                });
  const TimePoint now = std::chrono::system_clock::now();
  log.poll(now, 1000);
  directory.write("a.log", deadlock() + kHead + "00000 LOG:  checkpoint starting\n");
  log.poll(now, 1000);
  log.poll(now, 1000);
  CHECK(told == std::vector<std::string>{"deadlock me"});
}

}  // namespace
}  // namespace pgconn::server_log
