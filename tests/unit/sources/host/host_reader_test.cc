// A host that is a tree of files: recorded ones of a server in a container, hostile ones, none.
#include "sources/host/host_reader.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "sources/host/evidence.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace pgconn::host;

namespace {

constexpr double kBoot = 1'700'000'000;

class Tree {
 public:
  std::string path(const std::string& file) const { return files_.path(file); }

  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path whole = path(file);
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }

  void remove(const std::string& file) const { std::filesystem::remove_all(path(file)); }

  void process(int pid, int parent, long start, const std::string& name,
               const std::string& more) const {
    const std::string folder = "proc/" + std::to_string(pid) + "/";
    write(folder + "stat", std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) +
                               " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(start) +
                               " 0 0\n");
    write(folder + "status", "Name:\t" + name + "\nUid:\t26\t26\t26\t26\n" + more);
    write(folder + "oom_score_adj", pid == 100 ? "-900\n" : "0\n");
  }

  // A server in a container, whose processes are numbers 1 and 85 there, seen from the host.
  void server() const {
    const auto ticks = sysconf(_SC_CLK_TCK);
    write("proc/stat", "cpu 0\nbtime 1700000000\n");
    write("proc/meminfo", "MemTotal: 1000 kB\n");
    write("proc/vmstat", "nr_free_pages 5\noom_kill 3\n");
    write("proc/self/mountinfo",
          "30 23 0:26 / " + path("sys") + "/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    process(100, 50, 20 * ticks, "postgres", "NSpid:\t100\t1\n");
    process(200, 100, 500 * ticks, "postgres", "NSpid:\t200\t85\n");
    process(85, 1, 500 * ticks, "sshd", "NSpid:\t85\n");
    write("proc/100/task/100/children", "200 ");
    write("proc/100/cgroup", "0::/docker/abc\n");
    kills(0);
  }

  void kills(int count) const {
    write("sys/fs/cgroup/docker/abc/memory.events",
          "oom 0\noom_kill " + std::to_string(count) + "\n");
  }

  HostReader reader() const { return HostReader({path("proc"), path("sys") + "/", path("root")}); }

 private:
  pgconn::test::TemporaryDirectory files_;
};

const ServerClaims kServer = {.port = 1,
                              .backend_pid = 85,
                              .backend_start = kBoot + 500,
                              .postmaster_start = kBoot + 20,
                              .peer_is_local = true};

HostReading look(HostReader& reader, const ServerClaims& server = kServer) {
  return reader.read(server, std::chrono::steady_clock::now() + std::chrono::seconds(10));
}

bool is_unread(const HostReading& reading, Part part) {
  return std::any_of(reading.unread.begin(), reading.unread.end(), [part](const Unread& unread) {
    return unread.part == part && !unread.why.empty();
  });
}

}  // namespace

TEST_CASE("a server in a container is found from its host, by its number in there") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  const HostReading reading = look(reader);
  REQUIRE(reading.postmaster);
  CHECK(reading.postmaster->pid == 100);
  CHECK(reading.oom_scores.postmaster == -900);
  CHECK(reading.oom_scores.highest_child == 0);
  CHECK(reading.host_oom_kills == std::uint64_t{3});
  CHECK(reading.cgroup.oom_kills == std::uint64_t{0});
  CHECK(reading.memory.total == std::uint64_t{1024000});
  // Its network is not known to be ours, so its sockets and settings are not either.
  CHECK(is_unread(reading, Part::kSockets));
  CHECK(is_unread(reading, Part::kKernelSettings));
  CHECK(is_unread(reading, Part::kKernelLog));
  CHECK_FALSE(is_unread(reading, Part::kCgroup));
}

TEST_CASE("a kill is evidence also when the whole server went with it") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  const HostReading before = look(reader);
  tree.remove("proc/100");
  tree.remove("proc/200");
  tree.kills(2);
  const HostReading after = look(reader);
  CHECK_FALSE(after.postmaster);
  CHECK(is_unread(after, Part::kPostmaster));
  const OomEvidence evidence = oom_between(before, after);
  CHECK(evidence.in_cgroup == std::uint64_t{2});
  CHECK(server_was_oom_killed(evidence) == true);
}

TEST_CASE("another server's claims do not get the cgroup of the one before") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  REQUIRE(look(reader).cgroup.oom_kills);
  ServerClaims elsewhere = kServer;
  elsewhere.peer_is_local = false;
  const HostReading reading = look(reader, elsewhere);
  CHECK_FALSE(reading.postmaster);
  CHECK_FALSE(reading.cgroup.oom_kills);
}

TEST_CASE("the postmaster's number in another's hands is another process") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  REQUIRE(look(reader).postmaster);
  tree.process(100, 50, 400 * sysconf(_SC_CLK_TCK), "postgres", "");
  CHECK_FALSE(look(reader).postmaster);
}

TEST_CASE("a postmaster that was found stays found when the backend that led to it is gone") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  REQUIRE(look(reader).postmaster);
  tree.remove("proc/200");
  CHECK(look(reader).postmaster);
}

TEST_CASE("the cgroup's name is the kernel's own where our cgroup namespace is the machine's") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  CHECK(look(reader).cgroup.path.empty());
  std::filesystem::create_directories(tree.path("proc/self/ns"));
  std::filesystem::create_symlink("cgroup:[4026531835]", tree.path("proc/self/ns/cgroup"));
  CHECK(look(reader).cgroup.path == "/docker/abc");
  std::filesystem::remove(tree.path("proc/self/ns/cgroup"));
  std::filesystem::create_symlink("cgroup:[4026532201]", tree.path("proc/self/ns/cgroup"));
  CHECK(look(reader).cgroup.path.empty());
}

TEST_CASE("without a /proc nothing is known, and each part says why") {
  const Tree tree;
  HostReader reader = tree.reader();
  const HostReading reading = look(reader);
  for (const Part part : kParts) {
    CAPTURE(part_name(part));
    CHECK(is_unread(reading, part));
  }
  CHECK_FALSE(reading.sockets);
  CHECK_FALSE(reading.host_oom_kills);
}

TEST_CASE("files full of nonsense are unknown values") {
  const Tree tree;
  tree.server();
  const std::string nonsense(2000, '\xff');
  for (const std::string file :
       {"proc/100/oom_score_adj", "proc/100/cgroup", "proc/vmstat", "proc/meminfo",
        "proc/self/mountinfo", "proc/100/task/100/children"}) {
    tree.write(file, nonsense);
  }
  HostReader reader = tree.reader();
  const HostReading reading = look(reader);
  CHECK(reading.postmaster);
  CHECK_FALSE(reading.oom_scores.postmaster);
  CHECK_FALSE(reading.oom_scores.highest_child);
  CHECK_FALSE(reading.host_oom_kills);
  CHECK_FALSE(reading.cgroup.oom_kills);
  CHECK_FALSE(reading.memory.total);
  tree.write("proc/100/oom_score_adj", "1001\n");
  CHECK_FALSE(look(reader).oom_scores.postmaster);
}

TEST_CASE("a deadline that has passed ends a look at once, without counts") {
  const Tree tree;
  tree.server();
  HostReader reader = tree.reader();
  const HostReading reading = reader.read(kServer, std::chrono::steady_clock::now());
  CHECK_FALSE(reading.postmaster);
  CHECK(is_unread(reading, Part::kPostmaster));
}
