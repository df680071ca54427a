#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "config/loader.h"
#include "tests/support/catch.h"

namespace pgconn::config {
namespace {

// A file with the given content, gone at the end of the test.
class SecretFile {
 public:
  explicit SecretFile(const std::string& content) {
    std::string name = (std::filesystem::temp_directory_path() / "pgconn-secret-XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    close(descriptor);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~SecretFile() { std::filesystem::remove(path_); }
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Target target_with_file(const std::string& path) {
  Target target;
  target.name = "orders";
  target.password_file = path;
  return target;
}

Target target_with_variable(const std::string& name) {
  Target target;
  target.name = "orders";
  target.password_env = name;
  return target;
}

std::string refusal(const Target& target) {
  try {
    read_password(target);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

std::optional<std::string> password_in(const std::string& content) {
  const SecretFile file(content);
  return read_password(target_with_file(file.path()));
}

TEST_CASE("the password is the file's first line, of which only the line end is cut") {
  CHECK(password_in("s3cret") == "s3cret");
  CHECK(password_in("s3cret\n") == "s3cret");
  CHECK(password_in("s3cret\r\n") == "s3cret");
  CHECK(password_in("  s3 cret\t \nnot this\n") == "  s3 cret\t ");
  CHECK(password_in("s3\rcret\n") == "s3\rcret");
  CHECK(password_in("pässwört\n") == "pässwört");
}

TEST_CASE("a rotated secret file is read again") {
  const SecretFile file("old\n");
  CHECK(read_password(target_with_file(file.path())) == "old");
  std::ofstream(file.path(), std::ios::trunc) << "new\n";
  CHECK(read_password(target_with_file(file.path())) == "new");
}

TEST_CASE("a target without a source of its own has no password") {
  CHECK(read_password(Target{}) == std::nullopt);
}

TEST_CASE("a password file that holds no password is an error that says what to do") {
  CHECK(refusal(target_with_file("/nonexistent/secret")) ==
        "target orders: password_file /nonexistent/secret cannot be read: No such file or "
        "directory; put the password on its first line and let the exporter's user read it");
  const SecretFile empty("");
  CHECK(refusal(target_with_file(empty.path())) ==
        "target orders: password_file " + empty.path() +
            " has an empty first line; put the password there");
  const SecretFile second_line("\ns3cret\n");
  CHECK(refusal(target_with_file(second_line.path())) ==
        "target orders: password_file " + second_line.path() +
            " has an empty first line; put the password there");
  const SecretFile large(std::string(100'000, 'x'));
  CHECK(refusal(target_with_file(large.path())) ==
        "target orders: password_file " + large.path() +
            " is larger than 64 KiB; put the password alone into it");
  CHECK(refusal(target_with_file("/dev")) ==
        "target orders: password_file /dev cannot be read: Is a directory; put the password on its "
        "first line and let the exporter's user read it");
  const SecretFile binary(std::string("s3\0cret\n", 8));
  CHECK(refusal(target_with_file(binary.path())) ==
        "target orders: password_file " + binary.path() +
            " has a NUL byte in its first line; a password is text");
}

TEST_CASE("a password file that would have to be waited for is refused at once") {
  const SecretFile place("");
  const std::string pipe = place.path() + ".pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& path : {pipe, std::string("/dev/zero")}) {
    CHECK(refusal(target_with_file(path)) ==
          "target orders: password_file " + path +
              " is not a regular file; put the password into one");
  }
  std::filesystem::remove(pipe);
}

TEST_CASE("the password comes from the environment variable that password_env names") {
  const Target target = target_with_variable("PGCONN_TEST_PASSWORD");
  setenv("PGCONN_TEST_PASSWORD", " s3cret ", 1);
  CHECK(read_password(target) == " s3cret ");
  setenv("PGCONN_TEST_PASSWORD", "", 1);
  CHECK(refusal(target) ==
        "target orders: password_env PGCONN_TEST_PASSWORD is empty; put the password into the "
        "variable");
  unsetenv("PGCONN_TEST_PASSWORD");
  CHECK(refusal(target) ==
        "target orders: password_env PGCONN_TEST_PASSWORD is not set; export the variable before "
        "the exporter starts");
}

}  // namespace
}  // namespace pgconn::config
