#include "sources/host/evidence.h"

#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

HostReading looked(std::uint64_t host, std::uint64_t cgroup) {
  HostReading reading;
  reading.host_oom_kills = host;
  reading.cgroup.id = 1;
  reading.cgroup.oom_kills = cgroup;
  reading.kernel_log = KernelLogLook{.next_sequence = 100};
  return reading;
}

OomKill killed(const char* task, std::uint64_t sequence) {
  return {.pid = 7, .task = task, .sequence = sequence, .unix_time = 1'700'000'000};
}

std::optional<bool> verdict(const HostReading& before, const HostReading& after) {
  return server_was_oom_killed(oom_between(before, after));
}

}  // namespace

TEST_CASE("a kill that the server's cgroup counted convicts") {
  const OomEvidence evidence = oom_between(looked(5, 1), looked(7, 2));
  CHECK(evidence.in_host == std::uint64_t{2});
  CHECK(evidence.in_cgroup == std::uint64_t{1});
  CHECK(server_was_oom_killed(evidence) == true);
}

TEST_CASE("kills elsewhere on the host acquit while the cgroup's counter stands still") {
  CHECK(verdict(looked(5, 1), looked(9, 1)) == false);
}

TEST_CASE("without the cgroup's counter") {
  HostReading before = looked(5, 0);
  HostReading after = looked(6, 0);
  before.cgroup.oom_kills.reset();
  SECTION("no kill on the whole host acquits") {
    after.host_oom_kills = 5;
    CHECK(verdict(before, after) == false);
  }
  SECTION("a kill on the host alone proves nothing") { CHECK_FALSE(verdict(before, after)); }
  SECTION("a PostgreSQL's in the log convicts, with its pid and time") {
    after.kernel_log->kills = {killed("postgres", 100)};
    const OomEvidence evidence = oom_between(before, after);
    CHECK(server_was_oom_killed(evidence) == true);
    REQUIRE(evidence.of_postgres.size() == 1);
    CHECK(evidence.of_postgres.front().pid == 7);
    CHECK(evidence.of_postgres.front().unix_time == 1'700'000'000);
  }
  SECTION("another program's in the log acquits if it accounts for all") {
    after.kernel_log->kills = {killed("java", 100)};
    CHECK(verdict(before, after) == false);
    after.host_oom_kills = 7;
    CHECK_FALSE(verdict(before, after));
  }
  SECTION("what the log had told before does not count") {
    after.kernel_log->kills = {killed("postgres", 99)};
    CHECK_FALSE(verdict(before, after));
  }
  SECTION("a log alone may convict but not acquit") {
    before.host_oom_kills.reset();
    CHECK_FALSE(verdict(before, after));
    after.kernel_log->kills = {killed("postgres", 100)};
    CHECK(verdict(before, after) == true);
  }
}

TEST_CASE("kills in the cgroup of another PostgreSQL are not the server's") {
  HostReading before = looked(5, 0);
  before.cgroup.path = "/ours";
  HostReading after = looked(8, 1);
  OomKill ours = killed("postgres", 100);
  ours.cgroup = "/ours";
  OomKill other = killed("postgres", 101);
  other.cgroup = "/theirs";
  const OomKill untold = killed("postgres", 102);
  after.kernel_log->kills = {ours, other, untold};
  OomEvidence evidence = oom_between(before, after);
  REQUIRE(evidence.of_postgres.size() == 2);
  CHECK(evidence.of_postgres[0].sequence == 100);
  CHECK(evidence.of_postgres[1].sequence == 102);
  CHECK(evidence.in_log == 3);
  before.cgroup.path.clear();
  CHECK(oom_between(before, after).of_postgres.size() == 3);
}

TEST_CASE("nothing to read is no evidence") {
  CHECK_FALSE(verdict(HostReading(), HostReading()));
  HostReading without_log = looked(1, 1);
  without_log.kernel_log.reset();
  HostReading after = looked(1, 1);
  after.kernel_log->kills = {killed("postgres", 100)};
  CHECK(oom_between(without_log, after).of_postgres.empty());
}

TEST_CASE("another cgroup than before tells of its own kills alone") {
  HostReading after = looked(5, 0);
  after.cgroup.id = 2;
  CHECK_FALSE(oom_between(looked(5, 3), after).in_cgroup);
  after.cgroup.oom_kills = 1;
  CHECK(oom_between(looked(5, 3), after).in_cgroup == std::uint64_t{1});
}

TEST_CASE("a counter that fell began anew") {
  CHECK(oom_between(looked(5, 3), looked(2, 0)).in_host == std::uint64_t{2});
}
