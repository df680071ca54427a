#include "exporter/targets/pooler_processes.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using News = PoolerProcesses::News;

constexpr auto kQueries = metrics::counter("pgconn_test_queries_total", "Queries.", {"database"});
constexpr auto kClients = metrics::gauge("pgconn_test_clients", "Clients.", {"database"});

collectors::ServerFacts alone(double work_done) {
  collectors::ServerFacts facts;
  facts.shares_address = false;
  facts.work_done = work_done;
  return facts;
}

collectors::ServerFacts sharing(double work_done, const std::string& process = "") {
  collectors::ServerFacts facts = alone(work_done);
  facts.shares_address = true;
  facts.process = process;
  return facts;
}

// What is shown of a process's own counts.
std::map<std::string, double> shown(PoolerProcesses& processes,
                                    const std::map<std::string, double>& counts) {
  metrics::MetricBatch batch;
  for (const auto& [database, count] : counts) batch.add(kQueries, count, {database});
  processes.carry_on(batch);
  std::map<std::string, double> values;
  for (const metrics::Family& family : batch.families()) {
    for (const metrics::Sample& sample : family.samples) {
      values[sample.labels[0]] = sample.value;
    }
  }
  return values;
}

double shop(PoolerProcesses& processes, double count) {
  return shown(processes, {{"shop", count}}).at("shop");
}

TEST_CASE("the first process's counters are shown as they are, and go on") {
  PoolerProcesses processes;
  CHECK(processes.note(alone(10), 1) == News::kNone);
  CHECK(shop(processes, 1000) == 1000);
  CHECK(shop(processes, 1000) == 1000);
  CHECK(processes.note(alone(20), 1) == News::kNone);
  CHECK(shop(processes, 1010) == 1010);
}

TEST_CASE("a session that was only renewed misses nothing and is no restart") {
  PoolerProcesses processes;
  processes.note(alone(10), 1);
  shop(processes, 1000);
  CHECK(processes.note(alone(50), 2) == News::kNone);
  CHECK(shop(processes, 1200) == 1200);
}

TEST_CASE("a restart is told by a count that begins again, and all since then is counted") {
  PoolerProcesses processes;
  processes.note(alone(500), 1);
  shop(processes, 1000);
  CHECK(processes.note(alone(4), 2) == News::kRestart);
  CHECK(shown(processes, {{"new", 7}, {"shop", 3}}) ==
        std::map<std::string, double>{{"new", 7}, {"shop", 1003}});
  CHECK(processes.note(alone(9), 2) == News::kNone);
}

TEST_CASE("another process of a port never makes a counter jump, up or down") {
  PoolerProcesses processes;
  processes.note(sharing(500, "1"), 1);
  shop(processes, 1000);
  CHECK(processes.note(sharing(9000, "2"), 2) == News::kAnother);
  CHECK(shop(processes, 80'000) == 1000);
  CHECK(shop(processes, 80'005) == 1005);
  CHECK(processes.note(sharing(505, "1"), 3) == News::kAnother);  // and back: no restart
  CHECK(shop(processes, 1100) == 1105);
  CHECK(processes.note(sharing(9001, "2"), 4) == News::kAnother);
  CHECK(shop(processes, 80'006) == 1106);
}

TEST_CASE("a restart of one process among several is told of that one") {
  PoolerProcesses processes;
  processes.note(sharing(500, "1"), 1);
  shop(processes, 1000);
  processes.note(sharing(9000, "2"), 2);
  shop(processes, 80'000);
  CHECK(processes.note(sharing(3, "1"), 3) == News::kRestart);
  CHECK(shop(processes, 5) == 1005);
}

TEST_CASE("processes without a peer_id cannot be told apart: no restart, and no jump") {
  PoolerProcesses processes;
  CHECK(processes.note(sharing(500), 1) == News::kNone);
  CHECK(shop(processes, 1000) == 1000);
  CHECK(processes.note(sharing(3), 2) == News::kAnother);
  CHECK(shop(processes, 5) == 1000);
  CHECK(shop(processes, 8) == 1003);
  CHECK(processes.note(sharing(700), 3) == News::kAnother);
  CHECK(shop(processes, 2000) == 1003);
}

TEST_CASE("a scrape of other collectors in between changes nothing") {
  PoolerProcesses processes;
  processes.note(sharing(500, "1"), 1);
  shop(processes, 1000);
  processes.note(sharing(9000, "2"), 2);
  shown(processes, {});
  CHECK(shop(processes, 80'000) == 1000);
  CHECK(shown(processes, {{"new", 7}}).at("new") == 7);  // since it was watched
}

TEST_CASE("a scrape that was cut short before it told the process says nothing of it") {
  PoolerProcesses processes;
  processes.note(sharing(500, "1"), 1);
  shop(processes, 1000);
  CHECK(processes.note({}, 2) == News::kNone);
  CHECK(processes.note(sharing(600, "1"), 2) == News::kNone);
  CHECK(shop(processes, 1001) == 1001);
}

TEST_CASE("gauges are left as they are") {
  PoolerProcesses processes;
  processes.note(alone(10), 1);
  metrics::MetricBatch batch;
  batch.add(kClients, 5, {"shop"});
  processes.carry_on(batch);
  processes.carry_on(batch);
  CHECK(batch.families()[0].samples[0].value == 5);
}

TEST_CASE("it is shown which process answers") {
  PoolerProcesses processes;
  metrics::MetricBatch nothing, batch;
  processes.add_gauges(nothing);
  CHECK(nothing.empty());
  processes.note(sharing(10, "2"), 1);
  processes.add_gauges(batch);
  CHECK(batch.families()[0].samples[0].labels == std::vector<std::string>{"2", "1"});
}

TEST_CASE("a peer that invents databases does not use up memory") {
  PoolerProcesses processes;
  processes.note(alone(10), 1);
  std::size_t most = 0;
  for (int round = 0; round < 20; ++round) {
    std::map<std::string, double> counts;
    for (int i = 0; i < 1000; ++i) counts[std::to_string(round) + "-" + std::to_string(i)] = 1;
    most += shown(processes, counts).size();
  }
  CHECK(most == 10'000);
}

}  // namespace
}  // namespace pgconn::exporter
