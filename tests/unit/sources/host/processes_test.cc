#include "sources/host/processes.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "sources/host/proc_text.h"
#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

// As Linux 6.1 writes it.
std::string stat_of(const std::string& name) {
  return "4711 (" + name +
         ") S 4700 4711 4711 0 -1 4194624 1159 0 0 0 2 1 0 0 20 0 1 0 987654 222298112 4873 "
         "18446744073709551615 1 1 0 0 0 0 0 19935232 536944647 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 "
         "0\n";
}

}  // namespace

TEST_CASE("a process's parent, name and start are read") {
  const auto process = parse_process_stat(stat_of("postgres"));
  REQUIRE(process);
  CHECK(*process == Process{4711, 4700, "postgres", 987654});
}

TEST_CASE("a name may hold spaces, parentheses and what looks like more fields") {
  for (const std::string name : {"a b", "a) S 1 2 3", "((", "))", ") ", "", "\n"}) {
    CAPTURE(name);
    const auto process = parse_process_stat(stat_of(name));
    REQUIRE(process);
    CHECK(process->name == name);
    CHECK(process->parent == 4700);
    CHECK(process->start_ticks == 987654);
  }
}

TEST_CASE("a process's file that is cut off or malformed is none") {
  const std::string whole = stat_of("postgres");
  const std::size_t start_at = whole.find("987654");
  for (std::size_t size = 0; size < start_at; ++size) {
    CHECK_FALSE(parse_process_stat(whole.substr(0, size)));
  }
  CHECK_FALSE(parse_process_stat("x (postgres) S 1"));
  CHECK_FALSE(parse_process_stat(") ("));
  std::string negative = whole;
  negative.replace(start_at, 6, "-98765");
  CHECK_FALSE(parse_process_stat(negative));
}

TEST_CASE("a process's numbers in its namespaces are read outermost first") {
  const std::string status = "Name:\tpostgres\nUid:\t26\t27\t28\t29\nNSpid:\t4711\t85\n";
  CHECK(parse_namespace_pids(status) == std::vector{4711, 85});
  CHECK(parse_user(status) == 27U);
  CHECK(parse_namespace_pids("Name:\tpostgres\n").empty());
  CHECK(parse_namespace_pids("NSpid:\t4711\tx\n").empty());
  CHECK_FALSE(parse_user("Uid:\t26\n"));
  // A name cannot pass for a line of its own: the kernel escapes newlines, and keys lead lines.
  CHECK_FALSE(parse_user("Name:\tUid:\t0\t0\t0\t0\n"));
}

TEST_CASE("this process is found under /proc, and its child among its children") {
  const auto self = read_process("/proc", getpid());
  REQUIRE(self);
  CHECK(self->parent == getppid());
  const auto all = list_processes("/proc");
  CHECK(std::find(all.begin(), all.end(), getpid()) != all.end());
  const auto children =
      children_of("/proc", getppid(), std::chrono::steady_clock::now() + std::chrono::seconds(10));
  REQUIRE(children);
  CHECK(std::find(children->begin(), children->end(), getpid()) != children->end());
  CHECK(read_oom_score_adj("/proc", getpid()));
}

TEST_CASE("a number that no process has is none") {
  CHECK_FALSE(read_process("/proc", 0));
  CHECK_FALSE(read_process("/proc", -1));
  CHECK_FALSE(read_process("/nowhere", getpid()));
  CHECK_FALSE(read_oom_score_adj("/nowhere", 1));
  CHECK(list_processes("/nowhere").empty());
}

TEST_CASE("the boot's time is read from /proc/stat") {
  CHECK(parse_boot_time("cpu 1 2\nbtime 1700000000\nprocesses 5\n") == 1700000000.0);
  CHECK_FALSE(parse_boot_time("cpu 1 2\n"));
  CHECK_FALSE(parse_boot_time("btime soon\n"));
}
