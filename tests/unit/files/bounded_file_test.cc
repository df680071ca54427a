#include "files/bounded_file.h"

#include <sys/stat.h>

#include <string>
#include <system_error>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::files {
namespace {

using test::TemporaryDirectory;

std::errc refusal(const std::string& path) {
  try {
    read_bounded_regular_file(path, 10);
  } catch (const std::system_error& error) {
    return static_cast<std::errc>(error.code().value());
  }
  return {};
}

TEST_CASE("a file up to the limit is read whole, and one byte of a longer one's rest") {
  const TemporaryDirectory directory;
  for (const std::size_t size : {0, 1, 9, 10}) {
    const std::string content(size, 'x');
    CHECK(read_bounded_regular_file(directory.write("file", content), 10) == content);
  }
  for (const std::size_t size : {11, 12, 5000}) {
    const std::string path = directory.write("file", std::string(size, 'x'));
    CHECK(read_bounded_regular_file(path, 10) == std::string(11, 'x'));
  }
}

TEST_CASE("any byte is read as it is") {
  const TemporaryDirectory directory;
  std::string content;
  for (int value = 0; value < 256; ++value) content += static_cast<char>(value);
  CHECK(read_bounded_regular_file(directory.write("file", content), 1000) == content);
}

TEST_CASE("a file that does not know its size is read to its end, or to the limit") {
  const std::string limits = read_bounded_regular_file("/proc/self/limits", 100000).value();
  CHECK(limits.starts_with("Limit "));
  CHECK(limits.ends_with('\n'));
  CHECK(limits.size() > 500);
  CHECK(read_bounded_regular_file("/proc/self/limits", 100) == limits.substr(0, 101));
}

TEST_CASE("what is no file with an end is not opened for good") {
  const TemporaryDirectory directory;
  const std::string pipe = directory.path("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_bounded_regular_file(pipe, 10) == std::nullopt);
  CHECK(read_bounded_regular_file("/dev/zero", 10) == std::nullopt);
}

TEST_CASE("what cannot be read is told with the system's reason") {
  const TemporaryDirectory directory;
  CHECK(refusal(directory.path("missing")) == std::errc::no_such_file_or_directory);
  CHECK(refusal(directory.path()) == std::errc::is_a_directory);
}

}  // namespace
}  // namespace pgconn::files
