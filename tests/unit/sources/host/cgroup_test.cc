#include "sources/host/cgroup.h"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace pgconn::host;

namespace {

const std::string kVersion1 =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:5 - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
const std::string kVersion2 =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kService = "/system.slice/postgresql@15-main.service";

MemoryCgroup find(const std::string& process, const std::string& mounts,
                  const std::string& under = "/sys/fs/cgroup") {
  return find_memory_cgroup(process, mounts, under);
}

}  // namespace

TEST_CASE("a cgroup of version 2 is found below its mount") {
  const MemoryCgroup cgroup = find("0::" + kService + "\n", kVersion2);
  CHECK(cgroup.version == 2);
  CHECK(cgroup.directory == "/sys/fs/cgroup" + kService);
  CHECK(find("0::/\n", kVersion2).directory == "/sys/fs/cgroup");
}

TEST_CASE("with both versions mounted, the memory controller's hierarchy is the one that counts") {
  const MemoryCgroup cgroup =
      find("5:cpu,cpuacct:/x\n4:memory:" + kService + "\n0::/y\n", kVersion1);
  CHECK(cgroup.version == 1);
  CHECK(cgroup.directory == "/sys/fs/cgroup/memory" + kService);
  CHECK(cgroup.mount == "/sys/fs/cgroup/memory");
  // Where version 1's is out of sight, version 2's does not stand in for it.
  CHECK(find("4:memory:/../x\n0::/\n", kVersion1).version == 0);
}

TEST_CASE("a container that shows its own cgroup as the topmost one") {
  // Docker with version 1: the mount begins at the container, and /proc tells the host's path.
  const std::string mounts =
      "900 890 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
  CHECK(find("4:memory:/docker/abc\n", mounts).directory == "/sys/fs/cgroup/memory");
  CHECK(find("4:memory:/docker/abc/below\n", mounts).directory == "/sys/fs/cgroup/memory/below");
  // Another container's cannot be seen.
  CHECK(find("4:memory:/docker/abcd\n", mounts).version == 0);
}

TEST_CASE("the host's cgroups, mounted into a container with a cgroup namespace of its own") {
  const std::string mounts =
      "900 890 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
      "901 890 0:26 /../.. /host/sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  const MemoryCgroup cgroup =
      find("0::/../../system.slice/pg.service\n", mounts, "/host/sys/fs/cgroup");
  CHECK(cgroup.directory == "/host/sys/fs/cgroup/system.slice/pg.service");
  // Without the host's mount it is out of sight, and the path does not lead out of ours.
  CHECK(find("0::/../../system.slice/pg.service\n", kVersion2).version == 0);
  // Ours is seen in our own mount alone.
  CHECK(find("0::/\n", mounts, "/host/sys/fs/cgroup").directory == "/sys/fs/cgroup");
}

TEST_CASE("a neighbour's cgroup in the host's mount is the only one of its name at that depth") {
  const pgconn::test::TemporaryDirectory files;
  const std::string host = files.path();
  const std::string mounts = "901 890 0:26 /../../.. " + host + " ro - cgroup2 cgroup rw\n";
  std::filesystem::create_directories(host + "/kubepods/pod1/server");
  std::filesystem::create_directories(host + "/kubepods/pod1/exporter");
  std::filesystem::create_directories(host + "/kubepods/pod2/exporter");
  std::filesystem::create_directories(host + "/kubepods/server");
  const MemoryCgroup unsure = find("0::/../server\n", mounts, host);
  CHECK(unsure.unknown_levels == 2);
  CHECK(search(unsure).directory == host + "/kubepods/pod1/server");
  CHECK(search(find("0::/../../pod1/server\n", mounts, host)).directory ==
        host + "/kubepods/pod1/server");

  CHECK(search(find("0::/../elsewhere\n", mounts, host)).version == 0);
  CHECK_FALSE(search(find("0::/../elsewhere\n", mounts, host)).error.empty());
  // One more of that name, and nobody can tell.
  std::filesystem::create_directories(host + "/kubepods/pod2/server");
  CHECK(search(unsure).version == 0);
  // No name, or one that leads up again.
  for (const std::string path : {"/..", "/../", "/../x/../server", "/../../../../x"}) {
    CAPTURE(path);
    CHECK(find("0::" + path + "\n", mounts, host).version == 0);
  }
}

TEST_CASE("a name in a mount's path may be escaped") {
  CHECK(find("0::/x\n", "30 23 0:26 / /my\\040sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
             "/my sys/fs/cgroup")
            .directory == "/my sys/fs/cgroup/x");
}

TEST_CASE("mounts of others, and malformed lines, are passed over") {
  CHECK(find("0::/docker/x\n", "30 23 0:26 /docker/y /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
            .version == 0);
  CHECK_FALSE(find("0::/x\n", "").error.empty());
  for (const std::string mounts : {"", "\n\n", "-", "- cgroup2", "1 2 3 4 5 - cgroup2 a b",
                                   "1 2 3 / /sys/fs/cgroup rw - cgroup2", "a - - - - - - - -"}) {
    CAPTURE(mounts);
    CHECK(find("0::/x\n", mounts).version == 0);
  }
  for (const std::string process : {"", "0", "0:", "::", "4:memory", "1:name=systemd:/x\n"}) {
    CAPTURE(process);
    CHECK(find(process, kVersion2).version == 0);
  }
}

TEST_CASE("the directories above a cgroup end at the mount") {
  const MemoryCgroup cgroup = {2, "/sys/fs/cgroup/a/b", "/sys/fs/cgroup", "/a/b"};
  CHECK(with_ancestors(cgroup) ==
        std::vector<std::string>{"/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"});
  CHECK(with_ancestors({2, "/sys/fs/cgroup", "/sys/fs/cgroup", "/"}).size() == 1);
}
