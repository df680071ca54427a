#include "sources/server_log/follower.h"

#include <sys/stat.h>
#include <algorithm>

#include <filesystem>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/log_scene.h"

namespace pgconn::server_log {
namespace {

namespace fs = std::filesystem;

using Scene = LogScene;

TEST_CASE("follower: what was there before is not news, what is written then is") {
  Scene scene;
  scene.append("a.log", line("old"));
  CHECK(scene.poll().empty());
  scene.append("a.log", line("one") + line("two"));
  CHECK(scene.poll() == Strings{"one", "two"});
  CHECK(scene.poll().empty());
}

TEST_CASE("follower: a new file is read from its beginning, and the old one to its end") {
  Scene scene;
  scene.append("a.log", line("old"));
  scene.poll();
  scene.append("a.log", line("last"));
  scene.append("b.log", line("first"));
  CHECK(scene.poll().size() == 2);
}

TEST_CASE("follower: a renamed file is the same file, also where no pattern finds it") {
  for (const std::string to : {"a.log.1", "elsewhere"}) {
    Scene scene;
    scene.append("a.log", line("old"));
    scene.poll();
    scene.append("a.log", line("one"));
    scene.rename("a.log", to);
    scene.append(to, line("two"));
    scene.append("a.log", line("three"));
    Strings got = scene.poll();
    std::ranges::sort(got);
    INFO(to);
    CHECK(got == Strings{"one", "three", "two"});
    scene.append(to, line("late"));
    CHECK(scene.poll() == Strings{"late"});
  }
}

TEST_CASE("follower: what a deleted file still held is read") {
  Scene scene;
  scene.append("a.log", line("old"));
  scene.poll();
  scene.append("a.log", line("one"));
  scene.remove("a.log");
  CHECK(scene.poll() == Strings{"one"});
}

TEST_CASE(
    "follower: a file truncated, and one that has grown past its old size since, start over") {
  Scene scene;
  scene.append("a.log", line("old") + line("older"));
  scene.poll();
  scene.truncate("a.log");
  scene.append("a.log", line("new"));
  CHECK(scene.poll() == Strings{"new"});
  scene.truncate("a.log");
  scene.append("a.log", line("x1") + line("x2") + line("x3") + line("x4"));
  CHECK(scene.poll() == Strings{"x1", "x2", "x3", "x4"});
}

TEST_CASE("follower: copied and truncated, what the copy has more is read there, and only that") {
  Scene scene;
  scene.append("a.log", line("old") + line("older") + line("oldest"));
  scene.poll();
  scene.append("a.log", line("one"));
  CHECK(scene.poll() == Strings{"one"});
  SECTION("the copy is seen before the original is truncated") {
    scene.append("a.log", line("two"));
    scene.copy("a.log", "a.log.1");
    CHECK(scene.poll() == Strings{"two"});
    scene.truncate("a.log");
    scene.append("a.log", line("three"));
    CHECK(scene.poll() == Strings{"three"});
  }
  SECTION("both are seen at once") {
    scene.append("a.log", line("two"));
    scene.copy("a.log", "a.log.1");
    scene.truncate("a.log");
    scene.append("a.log", line("three"));
    Strings got = scene.poll();
    std::ranges::sort(got);
    CHECK(got == Strings{"three", "two"});
  }
  SECTION("it happens between one follower and the next") {
    scene.append("a.log", line("two"));
    scene.copy("a.log", "a.log.1");
    scene.truncate("a.log");
    scene.append("a.log", line("three"));
    scene.restart();
    Strings got = scene.poll();
    std::ranges::sort(got);
    CHECK(got == Strings{"three", "two"});
  }
  CHECK(scene.poll().empty());
}

TEST_CASE("follower: compressed siblings are left alone") {
  Scene scene;
  scene.poll();
  for (const std::string end : {".gz", ".zst", ".bz2", ".xz"}) {
    scene.append("a.log" + end, line("no"));
  }
  CHECK(scene.poll().empty());
}

TEST_CASE("follower: the next one goes on exactly where this one was, wherever that is") {
  const std::string text = line("one") + "\tgoes on\n" + line("two") + line("three");
  for (std::size_t at = 0; at <= text.size(); at += 7) {
    Scene scene;
    scene.poll();
    scene.append("a.log", text.substr(0, at));
    Collected before;
    scene.follower().poll(scene.now(), 1 << 20, before.sink());
    scene.restart();
    scene.append("a.log", text.substr(at));
    const Strings after = scene.poll();
    INFO(at);
    CHECK(before.entries.size() + after.size() == 3);
  }
}

TEST_CASE("follower: one that has not looked yet passes on the place it was given") {
  Scene scene;
  scene.append("a.log", line("old"));
  scene.poll();
  scene.restart();
  scene.restart();
  scene.append("a.log", line("new"));
  CHECK(scene.poll() == Strings{"new"});
}

TEST_CASE("follower: a file that is out of sight for a while is read on from its place") {
  Scene scene;
  scene.append("a.log", line("old"));
  scene.append("b.log", line("other"));
  scene.poll();
  scene.rename("a.log", "hidden");
  scene.restart();
  scene.poll();
  scene.restart();
  scene.rename("hidden", "a.log");
  scene.append("a.log", line("new"));
  CHECK(scene.poll() == Strings{"new"});
}

TEST_CASE("follower: files that came while nobody looked are read, those finished before are not") {
  Scene scene;
  scene.append("a.log", line("old"));
  scene.poll();
  scene.restart();
  scene.append("b.log", line("new"));
  scene.append("c.log", line("ancient"));
  fs::last_write_time(scene.path("c.log"),
                      fs::file_time_type::clock::now() - std::chrono::hours(24));
  CHECK(scene.poll() == Strings{"new"});
}

TEST_CASE("follower: another file that got the inode of one that is gone begins at its beginning") {
  Scene scene;
  scene.append("a.log", line("old"));
  scene.poll();
  History history{scene.now(), scene.follower().positions()};
  REQUIRE(history.positions.size() == 1);
  // The same file number, other bytes, and longer than what was read of the old one.
  scene.truncate("a.log");
  scene.append("a.log", line("b1") + line("b2"));
  scene.restart();
  CHECK(scene.poll() == Strings{"b1", "b2"});
}

TEST_CASE("follower: a poll reads no more than it may, and its lag tells what is left") {
  Scene scene;
  scene.append("a.log", "");
  scene.poll();
  std::string text;
  for (int i = 0; i < 100; ++i) text += line("x");
  scene.append("a.log", text);
  Collected collected;
  CHECK(scene.follower().poll(scene.now(), 1000, collected.sink()));
  CHECK(scene.follower().lag(scene.now()).bytes == text.size() - 1000);
  CHECK(scene.follower().lag(scene.now()).age.count() != 0);
  CHECK(collected.entries.size() == 1000 / line("x").size() - 1);
  CHECK(scene.poll(1000).size() + collected.entries.size() == 100);
  CHECK(scene.follower().lag(scene.now()).bytes == 0);
  CHECK(scene.follower().lag(scene.now()).age.count() == 0);
}

TEST_CASE("follower: no file is told once, and again if it comes and goes") {
  Scene scene;
  scene.poll();
  CHECK(scene.problems().find("no file is found by") != std::string::npos);
  scene.poll();
  CHECK(scene.problems().empty());
  scene.append("a.log", line("x"));
  CHECK(scene.poll() == Strings{"x"});
  scene.remove("a.log");
  scene.poll();
  CHECK(scene.problems().find("no file is found by") != std::string::npos);
}

TEST_CASE("follower: lines of another format are told with the prefix that would fit") {
  Scene scene;
  scene.poll();
  scene.problems();
  std::string text;
  for (int i = 0; i < 20; ++i) text += "2026-11-29 13:36:11 UTC [7]: secret LOG:  x\n";
  for (int i = 0; i < 20; ++i) text += "2026-11-29 13:36:11 UTC [7]: LOG:  x\n";
  scene.append("a.log", text);
  CHECK(scene.poll().empty());
  const std::string told = scene.problems();
  CHECK(told.find("'%t [%p]: ' would fit") != std::string::npos);
  CHECK(told.find("secret") == std::string::npos);
  CHECK(scene.follower().faults().unparsed == 40);
  scene.append("a.log", line("fits"));
  CHECK(scene.poll() == Strings{"fits"});
}

TEST_CASE("follower: something by that name that is no file stalls nobody") {
  Scene scene;
  REQUIRE(::mkfifo(scene.path("a.log").c_str(), 0600) == 0);
  fs::create_directory(scene.path("b.log"));
  fs::create_symlink("c.log", scene.path("c.log"));
  CHECK(scene.poll().empty());
}

TEST_CASE("follower: several formats at once are told") {
  Scene scene;
  scene.pattern("*");
  scene.start();
  scene.append("x", "");
  scene.poll();
  scene.problems();
  std::string json;
  std::string text;
  for (int i = 0; i < 200; ++i) {
    json +=
        R"({"timestamp":"2026-11-29 13:36:14.146 UTC","pid":7,"error_severity":"LOG","message":"x"})"
        "\n";
    text += line("x");
  }
  scene.append("a.json", json);
  CHECK(scene.poll().size() == 200);
  CHECK(scene.problems().empty());
  scene.append("a.log", text);
  CHECK(scene.poll().size() == 200);
  CHECK(scene.problems().find("several formats") != std::string::npos);
}

TEST_CASE("follower: a quiet file is read on after a long time, a lost one let go") {
  Scene scene;
  for (int i = 0; i < 30; ++i) scene.append("f" + std::to_string(i) + ".log", "");
  scene.poll();
  scene.wait(std::chrono::minutes(10));
  scene.poll();
  for (int i = 0; i < 30; ++i) scene.append("f" + std::to_string(i) + ".log", line("late"));
  CHECK(scene.poll().size() == 30);
  scene.remove("f3.log");
  scene.poll();
  scene.wait(std::chrono::minutes(10));
  scene.poll();
  CHECK(scene.follower().positions().size() == 29);
}

}  // namespace
}  // namespace pgconn::server_log
