#include "files/file_stamp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "files/file_watch.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::files {
namespace {

using test::TemporaryDirectory;

constexpr ::timespec kLongAgo{1'000'000'000, 0};

// Modified at that time, as far as its owner has a say.
void date(const std::string& path, ::timespec time) {
  const ::timespec times[] = {time, time};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

TEST_CASE("a file that nobody touches keeps its stamp, also behind a link") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("file", "one");
  const auto stamp = stamp_of(path);
  REQUIRE(stamp);
  CHECK(stamp->size == 3);
  CHECK(stamp_of(path) == stamp);
  std::filesystem::create_symlink(path, directory.path("link"));
  CHECK(stamp_of(directory.path("link")) == stamp);
}

TEST_CASE("another file, another size and another time each make another stamp") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("file", "one");
  date(path, kLongAgo);
  const auto before = stamp_of(path);

  date(path, {1'000'000'000, 1});
  const auto later = stamp_of(path);
  CHECK(later != before);

  std::ofstream(path, std::ios::app) << "more";
  date(path, {1'000'000'000, 1});
  const auto longer = stamp_of(path);
  CHECK(longer->size == 7);
  CHECK(longer != later);

  directory.write("file", "onemore");  // by renaming
  date(path, {1'000'000'000, 1});
  CHECK(stamp_of(path)->inode != longer->inode);
}

TEST_CASE("a file that is not there has no stamp, and errno says why") {
  const TemporaryDirectory directory;
  CHECK(stamp_of(directory.path("missing")) == std::nullopt);
  CHECK(errno == ENOENT);
  const std::string file = directory.write("file", "");
  CHECK(stamp_of(file + "/below") == std::nullopt);
  CHECK(errno == ENOTDIR);
}

TEST_CASE("a watched file has changed as long as its times could not tell a further change") {
  const TemporaryDirectory directory;
  FileWatch fresh(directory.write("file", "one"));
  CHECK(fresh.changed());
  FileWatch old("/proc/self/exe");  // written long before this test
  CHECK_FALSE(old.changed());
}

TEST_CASE("a watched file that comes or goes has changed, once when it goes") {
  const TemporaryDirectory directory;
  FileWatch watch(directory.path("file"));
  CHECK_FALSE(watch.changed());
  directory.write("file", "");
  CHECK(watch.changed());
  std::filesystem::remove(directory.path("file"));
  CHECK(watch.changed());
  CHECK_FALSE(watch.changed());
}

}  // namespace
}  // namespace pgconn::files
