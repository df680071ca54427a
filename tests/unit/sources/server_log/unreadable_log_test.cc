// Files that may not be read: for ever, or for a while.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/log_scene.h"

namespace pgconn::server_log {
namespace {

namespace fs = std::filesystem;
using Scene = LogScene;

// The length of one scope as a user who may read nothing but what is open to all.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) REQUIRE(::seteuid(65534) == 0);
  }
  ~AsNobody() {
    if (::getuid() == 0 && ::seteuid(0) != 0) std::abort();
  }
};

TEST_CASE(
    "follower: a file that may not be read is told once, and read from its place once it may") {
  Scene scene;
  fs::permissions(scene.path(""), fs::perms::all);
  scene.append("a.log", line("old"));
  fs::permissions(scene.path("a.log"), fs::perms::none);
  {
    const AsNobody nobody;
    CHECK(scene.poll().empty());
  }
  scene.append("a.log", line("new"));
  {
    const AsNobody nobody;
    CHECK(scene.poll().empty());
    CHECK(scene.poll().empty());
  }
  const std::string told = scene.problems();
  CHECK(told.find("may not read") != std::string::npos);
  CHECK(told.find("may not read") == told.rfind("may not read"));
  CHECK(scene.follower().lag(scene.now()).bytes == line("new").size());
  fs::permissions(scene.path("a.log"), fs::perms::all);
  {
    const AsNobody nobody;
    CHECK(scene.poll() == Strings{"new"});
  }
}

TEST_CASE("follower: a known file that may not be read for a while is read on from its place") {
  Scene scene;
  fs::permissions(scene.path(""), fs::perms::all);
  scene.append("a.log", line("old"));
  scene.poll();
  scene.append("a.log", line("new"));
  fs::permissions(scene.path("a.log"), fs::perms::none);
  {
    const AsNobody nobody;
    for (int i = 0; i < 2; ++i) {
      scene.restart();
      CHECK(scene.poll().empty());
    }
  }
  fs::permissions(scene.path("a.log"), fs::perms::all);
  CHECK(scene.poll() == Strings{"new"});
}

}  // namespace
}  // namespace pgconn::server_log
