#include "exporter/targets/target_settings.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("Of the path's configured and measured limits, the shorter counts") {
  config::Target target;
  CHECK(with_measured(options_of(target), std::nullopt).path_idle_limit == std::nullopt);
  CHECK(with_measured(options_of(target), milliseconds(2700)).path_idle_limit ==
        milliseconds(2700));
  target.path_idle_limit = seconds(350);
  CHECK(with_measured(options_of(target), std::nullopt).path_idle_limit == seconds(350));
  CHECK(with_measured(options_of(target), seconds(120)).path_idle_limit == seconds(120));
  CHECK(with_measured(options_of(target), seconds(900)).path_idle_limit == seconds(350));
}

host::HostReading reading_of_a_host() {
  host::HostReading reading;
  reading.postmaster = host::Process{};
  reading.memory.total = 4000;
  reading.memory.swap_total = 0;
  reading.oom_scores.postmaster = -900;
  reading.kernel_settings = {{"net.ipv4.tcp_keepalive_time", 60},
                             {"net.ipv4.tcp_keepalive_intvl", 10},
                             {"net.ipv4.tcp_keepalive_probes", 6},
                             {"vm.overcommit_memory", 2}};
  return reading;
}

TEST_CASE("What a look at the host showed is what findings need of it") {
  const collectors::HostFacts facts = host_facts(reading_of_a_host());
  CHECK(facts.memory == 4000.0);
  CHECK_FALSE(facts.limited);
  CHECK(facts.swap == 0.0);
  CHECK(facts.overcommit_memory == 2);
  CHECK(facts.postmaster_oom_score_adj == -900);
  CHECK(facts.keepalives.idle == 60.0);
  CHECK(facts.keepalives.interval == 10.0);
  CHECK(facts.keepalives.count == 6.0);
}

TEST_CASE("A cgroup's limit is what the server may use, if the host has more") {
  host::HostReading reading = reading_of_a_host();
  reading.cgroup.limit = 1000;
  CHECK(host_facts(reading).memory == 1000.0);
  CHECK(host_facts(reading).limited);
  reading.cgroup.limit = 9000;
  CHECK(host_facts(reading).memory == 4000.0);
  CHECK_FALSE(host_facts(reading).limited);
}

TEST_CASE("A host on which the server was not found says nothing about it") {
  host::HostReading reading = reading_of_a_host();
  reading.postmaster.reset();
  const collectors::HostFacts facts = host_facts(reading);
  CHECK_FALSE(facts.memory);
  CHECK_FALSE(facts.overcommit_memory);
  CHECK_FALSE(facts.keepalives.idle);
}

}  // namespace
}  // namespace pgconn::exporter
