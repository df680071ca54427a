#include "sources/host/kernel_log.h"

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace pgconn::host;
using namespace std::chrono_literals;
using Scope = OomKill::Scope;

namespace {

// Linux 6.1 and 6.18, in a cgroup of version 1.
const std::string kSummary =
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
    "oom_memcg=/kubepods/pod1,task_memcg=/kubepods/pod1/pg,task=postgres,pid=30539,uid=101";
const std::string kKilled =
    "Memory cgroup out of memory: Killed process 30539 (postgres) total-vm:491524kB, "
    "anon-rss:98304kB, file-rss:11996kB, shmem-rss:3164kB, UID:101 pgtables:324kB oom_score_adj:0";

OomKill kill_of(const std::string& line) {
  const auto kill = parse_oom_line(line);
  REQUIRE(kill);
  return *kill;
}

Deadline soon() { return std::chrono::steady_clock::now() + 10s; }

}  // namespace

TEST_CASE("a record of the kernel's log has a number, a time, an author and a text") {
  const auto record = parse_kernel_record("6,1234,5140900000,-;NET: Registered\n SUBSYSTEM=net\n");
  REQUIRE(record);
  CHECK(record->sequence == 1234);
  CHECK(record->since_boot == 5140900000us);
  CHECK(record->by_kernel);
  CHECK(record->text == "NET: Registered");
  CHECK(parse_kernel_record("3,1,2,-,caller=T1;x;y")->text == "x;y");
  CHECK(parse_kernel_record("3,1,2;x")->text == "x");
  // Facility 1 and higher: a program wrote it.
  CHECK_FALSE(parse_kernel_record("12,1,2,-;Killed process 1 (postgres)")->by_kernel);
}

TEST_CASE("a malformed record is none") {
  for (const std::string record :
       {"", ";", "6", "6,1", "6,1,2", "6,1,2,-", ",,,;", "x,1,2,-;t", "6,x,2,-;t", "6,1,x,-;t",
        "6,1,-2,-;t", "-6,1,2,-;t", "6,99999999999999999999,2,-;t", "6,1,;t"}) {
    CAPTURE(record);
    CHECK_FALSE(parse_kernel_record(record));
  }
}

TEST_CASE("both lines of a kill tell who was killed and whose memory ran out") {
  for (const std::string& line : {kSummary, kKilled}) {
    const OomKill kill = kill_of(line);
    CHECK(kill.pid == 30539);
    CHECK(kill.task == "postgres");
    CHECK(kill.scope == Scope::kCgroup);
    CHECK(is_of_postgres(kill));
  }
  CHECK(kill_of("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,"
                "global_oom,task_memcg=/user.slice,task=java,pid=812,uid=0")
            .scope == Scope::kHost);
  const OomKill host =
      kill_of("Out of memory: Killed process 812 (java) total-vm:1kB, anon-rss:1kB");
  CHECK(host.scope == Scope::kHost);
  CHECK_FALSE(is_of_postgres(host));
  CHECK(
      kill_of("Out of memory (oom_kill_allocating_task): Killed process 9 (postgres) total-vm:1kB")
          .pid == 9);
}

TEST_CASE("older kernels say it in other words, and announce what need not happen") {
  // 4.9 names the one it has chosen, and then kills perhaps a child of it.
  CHECK_FALSE(
      parse_oom_line("Out of memory: Kill process 4711 (postgres) score 905 or sacrifice child"));
  CHECK_FALSE(parse_oom_line("Memory cgroup out of memory: Kill process 4711 (postgres) score 9"));
  const OomKill kill =
      kill_of("Killed process 4712 (postgres) total-vm:1kB, anon-rss:1kB, file-rss:0kB");
  CHECK(kill.pid == 4712);
  CHECK(kill.scope == Scope::kUnknown);
  CHECK(kill_of("Killed process 4712, UID 26, (postgres) total-vm:1kB").task == "postgres");
}

TEST_CASE("other lines about memory are no kills") {
  for (const std::string line :
       {"", "postgres invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "oom_reaper: reaped process 30539 (postgres), now anon-rss:0kB",
        "Tasks in /pg are going to be killed due to memory.oom.group set",
        "Out of memory and no killable processes...",
        "usb: Killed process 1 (postgres) total-vm:1kB", "Killed process",
        "Killed process  (postgres)", "Killed process 1", "Killed process 1 (",
        "Killed process 1 )(", "Killed process 99999999999 (postgres) total-vm:1kB",
        "oom-kill:constraint=", "oom-kill:constraint=CONSTRAINT_NONE,task=postgres",
        "oom-kill:constraint=CONSTRAINT_NONE,pid=1,uid=0",
        "oom-kill:constraint=X,task=a,pid=x,uid=0"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_oom_line(line));
  }
}

TEST_CASE("a task's and a cgroup's name may look like anything") {
  CHECK(kill_of("Out of memory: Killed process 5 (a) (postgres)) total-vm:1kB").task ==
        "a) (postgres)");
  const OomKill kill = kill_of(
      "oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/x,task=postgres,pid=1,uid=2/y,"
      "task=a,pid=7,pid=8,uid=0");
  CHECK(kill.pid == 8);
  CHECK_FALSE(is_of_postgres(kill));
  CHECK(kill_of("Killed process 5 (" + std::string(1000, 'p') + ") total-vm:1kB").task.size() ==
        15);
}

TEST_CASE("a kill told in two lines is one, and a number used again later another") {
  std::vector<OomKill> kills;
  OomKill first = kill_of(kSummary);
  first.sequence = 10;
  first.since_boot = 100s;
  OomKill second = kill_of(kKilled);
  second.sequence = 11;
  second.since_boot = 100s + 20us;
  add_kill(kills, first, 5);
  add_kill(kills, second, 5);
  REQUIRE(kills.size() == 1);
  CHECK(kills.front().sequence == 11);
  CHECK(kills.front().cgroup == "/kubepods/pod1/pg");
  second.since_boot = 200s;
  add_kill(kills, second, 5);
  CHECK(kills.size() == 2);
}

TEST_CASE("only the last kills are remembered") {
  std::vector<OomKill> kills;
  for (int pid = 1; pid <= 100; ++pid) add_kill(kills, {.pid = pid}, 5);
  REQUIRE(kills.size() == 5);
  CHECK(kills.front().pid == 96);
}

TEST_CASE("what a program writes into the kernel's log is no kill, and a record counts once") {
  KernelLogLook known;
  take_record("12,5,1000000,-;" + kKilled, 1'700'000'000, known);
  CHECK(known.kills.empty());
  CHECK(known.next_sequence == 6);
  take_record("3,6,2500000,-;" + kKilled, 1'700'000'000, known);
  REQUIRE(known.kills.size() == 1);
  CHECK(known.kills.front().sequence == 6);
  CHECK(known.kills.front().unix_time == Approx(1'700'000'002.5).epsilon(1e-15));
  // As after the device was opened anew.
  take_record("3,6,250000000,-;" + kKilled, 1'700'000'000, known);
  take_record("nonsense", 1'700'000'000, known);
  CHECK(known.kills.size() == 1);
  CHECK(known.next_sequence == 7);
}

TEST_CASE("random changes to a line do no harm") {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string line = round % 2 == 0 ? kSummary : "6,1,2,-;" + kKilled;
    for (int change = 0; change < 4; ++change) {
      line[random() % line.size()] = static_cast<char>(random() % 256);
    }
    line.resize(random() % (line.size() + 1));
    const auto kill = parse_oom_line(line);
    if (kill) CHECK(kill->task.size() <= 15);
    parse_kernel_record(line);
  }
}

TEST_CASE("a log that is not there, or is no device, is told and not waited for") {
  const pgconn::test::TemporaryDirectory files;
  CHECK(KernelLog(files.path("none")).look(soon()).error.find("No such file") != std::string::npos);
  std::ofstream(files.path("file")) << "6,1,2,-;" << kKilled;
  CHECK(KernelLog(files.path("file")).look(soon()).error.find("not a device") != std::string::npos);
  // It is looked for again each time: a right to read it may come later.
  KernelLog log(files.path("late"));
  CHECK_FALSE(log.look(soon()).error.empty());
  std::ofstream(files.path("late")) << "x";
  CHECK(log.look(soon()).error.find("not a device") != std::string::npos);
}
