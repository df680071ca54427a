#include "sources/host/memory.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sources/host/proc_text.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace pgconn::host;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

constexpr const char* kMeminfo =
    "MemTotal:       24683572 kB\nMemFree:        22273348 kB\nMemAvailable:   22522256 kB\n"
    "SwapCached:            0 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n"
    "CommitLimit:    12341784 kB\nCommitted_AS:    2006108 kB\nHugePages_Total:       0\n";

}  // namespace

TEST_CASE("memory is told in bytes, and no swap is 0 and not unknown") {
  const HostMemory memory = parse_meminfo(kMeminfo);
  CHECK(memory.total == std::uint64_t{24683572} * 1024);
  CHECK(memory.available == std::uint64_t{22522256} * 1024);
  CHECK(memory.swap_total == std::uint64_t{0});
  CHECK(memory.commit_limit == std::uint64_t{12341784} * 1024);
  CHECK(memory.committed == std::uint64_t{2006108} * 1024);
}

TEST_CASE("memory that is not told, or beyond all bounds, is unknown") {
  CHECK_FALSE(parse_meminfo("").total);
  CHECK_FALSE(parse_meminfo("MemTotal:\n").total);
  CHECK_FALSE(parse_meminfo("MemTotal: -5 kB\n").total);
  CHECK_FALSE(parse_meminfo("MemTotal: 18446744073709551615 kB\n").total);
  CHECK_FALSE(parse_meminfo("MemTotal: 99999999999999999999999 kB\n").total);
}

TEST_CASE("a counter is found by its whole name") {
  const std::string events = "low 0\nhigh 3\nmax 12\noom 4\noom_kill 2\noom_group_kill 1\n";
  CHECK(keyed_number(events, "oom_kill") == std::uint64_t{2});
  CHECK(keyed_number(events, "oom") == std::uint64_t{4});
  CHECK_FALSE(keyed_number(events, "kill"));
  CHECK(keyed_number("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", "oom_kill") ==
        std::uint64_t{7});
}

TEST_CASE("no limit is none, however the version writes it") {
  CHECK_FALSE(parse_limit("max\n"));
  CHECK_FALSE(parse_limit("9223372036854771712\n"));
  CHECK_FALSE(parse_limit(""));
  CHECK(parse_limit("536870912\n") == std::uint64_t{536870912});
}

TEST_CASE("of a cgroup of version 2 the kills are its own, and the limit the lowest above it") {
  const pgconn::test::TemporaryDirectory files;
  const std::filesystem::path mount = files.path();
  write(mount / "pod/memory.max", "1000000\n");
  write(mount / "pod/pg/memory.max", "max\n");
  write(mount / "pod/pg/memory.current", "4096\n");
  write(mount / "pod/pg/memory.events", "low 0\noom 1\noom_kill 3\noom_group_kill 0\n");
  write(mount / "pod/memory.events", "oom_kill 9\n");
  const CgroupMemory memory = read_cgroup_memory({2, (mount / "pod/pg").string(), mount.string()});
  CHECK(memory.limit == std::uint64_t{1000000});
  CHECK(memory.used == std::uint64_t{4096});
  CHECK(memory.oom_kills == std::uint64_t{3});
  CHECK(memory.error.empty());
  CHECK(memory.id != 0);
}

TEST_CASE("of a cgroup of version 1 the files have other names") {
  const pgconn::test::TemporaryDirectory files;
  const std::filesystem::path mount = files.path();
  write(mount / "pg/memory.limit_in_bytes", "2000000\n");
  write(mount / "pg/memory.usage_in_bytes", "8192\n");
  write(mount / "pg/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
  const CgroupMemory memory = read_cgroup_memory({1, (mount / "pg").string(), mount.string()});
  CHECK(memory.limit == std::uint64_t{2000000});
  CHECK(memory.used == std::uint64_t{8192});
  CHECK(memory.oom_kills == std::uint64_t{5});
}

TEST_CASE("a cgroup that counts no kills, is gone or was not found says why") {
  const pgconn::test::TemporaryDirectory files;
  const std::filesystem::path mount = files.path();
  write(mount / "old/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n");
  const auto error_of = [&](const MemoryCgroup& cgroup) {
    const CgroupMemory memory = read_cgroup_memory(cgroup);
    CHECK_FALSE(memory.oom_kills);
    return memory.error;
  };
  CHECK(error_of({1, (mount / "old").string(), mount.string()}).find("does not count") !=
        std::string::npos);
  CHECK(error_of({2, (mount / "gone").string(), mount.string()}).find("cannot read") !=
        std::string::npos);
  CHECK(error_of({.error = "not mounted"}) == "not mounted");
}

TEST_CASE(
    "kernel settings are read by name, those of the network only where they are the server's") {
  const pgconn::test::TemporaryDirectory files;
  const std::filesystem::path procfs = files.path();
  write(procfs / "sys/net/ipv4/tcp_keepalive_time", "120\n");
  write(procfs / "sys/vm/overcommit_memory", "2\n");
  write(procfs / "sys/vm/swappiness", "sixty\n");
  const auto settings = read_kernel_settings(procfs.string(), true);
  CHECK(value_of(settings, "net.ipv4.tcp_keepalive_time") == 120);
  CHECK(value_of(settings, "vm.overcommit_memory") == 2);
  CHECK(settings.size() == 2);
  CHECK_FALSE(
      value_of(read_kernel_settings(procfs.string(), false), "net.ipv4.tcp_keepalive_time"));
}

TEST_CASE("what is no regular file, or longer than expected, is not read") {
  const pgconn::test::TemporaryDirectory files;
  const std::filesystem::path path = files.path();
  write(path / "long", std::string(5000, 'x'));
  CHECK(read_proc_file((path / "long").string()).text.size() == 5000);
  CHECK_FALSE(read_proc_file((path / "long").string(), 4999).ok());
  REQUIRE(mkfifo((path / "pipe").c_str(), 0600) == 0);
  CHECK_FALSE(read_proc_file((path / "pipe").string()).ok());
  CHECK_FALSE(read_proc_file(path.string()).ok());
  CHECK_FALSE(read_proc_file("/dev/zero").ok());
  CHECK(read_proc_file((path / "none").string()).error.find("No such file") != std::string::npos);
}

TEST_CASE("a server may use the host's memory, or what its cgroup is limited to") {
  CHECK(usable_memory({.total = 1000}, {}) == std::uint64_t{1000});
  CHECK(usable_memory({.total = 1000}, {.limit = 400}) == std::uint64_t{400});
  CHECK(usable_memory({.total = 1000}, {.limit = 4000}) == std::uint64_t{1000});
  CHECK(usable_memory({}, {.limit = 400}) == std::uint64_t{400});
  CHECK_FALSE(usable_memory({}, {}));
}
