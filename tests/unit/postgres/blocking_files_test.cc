#include "postgres/blocking_files.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::postgres {
namespace {

std::string refusal(const std::string& dsn) {
  try {
    refuse_blocking_files(ConnInfo::parse(dsn));
  } catch (const PgError& error) {
    CHECK(error.reason() == Reason::kConfig);
    return error.what();
  }
  return "";
}

TEST_CASE("a FIFO instead of a file of the connection string is refused by name") {
  const test::LibpqEnvironment environment;
  const test::TemporaryDirectory directory;
  const std::string fifo = directory.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  for (const char* keyword : {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"}) {
    INFO(keyword);
    const std::string text = refusal("host=db " + std::string(keyword) + "=" + fifo);
    CHECK(text.find(std::string(keyword) + " is " + fifo) != std::string::npos);
  }
}

TEST_CASE(
    "so is one in place of a file that libpq opens in the home directory without being told") {
  test::LibpqEnvironment environment;
  unsetenv("PGPASSFILE");
  const test::TemporaryDirectory home;
  environment.set("HOME", home.path());
  REQUIRE(mkdir(home.path(".postgresql").c_str(), 0700) == 0);
  const auto [keyword, file] = GENERATE(table<const char*, const char*>({
      {"sslrootcert", ".postgresql/root.crt"},
      {"sslcert", ".postgresql/postgresql.crt"},
      {"sslkey", ".postgresql/postgresql.key"},
      {"sslcrl", ".postgresql/root.crl"},
      {"passfile", ".pgpass"},
  }));
  CHECK(refusal("host=db").empty());
  const std::string fifo = home.path(file);
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(refusal("host=db").starts_with(std::string(keyword) + " is " + fifo));
}

TEST_CASE("regular files, missing ones, directories and /dev/null are left to libpq") {
  const test::LibpqEnvironment environment;
  const test::TemporaryDirectory directory;
  const std::string file = directory.path("file");
  std::ofstream(file) << "text";
  for (const std::string& path :
       {file, file + ".missing", directory.path(), std::string("/dev/null")}) {
    INFO(path);
    CHECK(refusal("host=db sslrootcert=" + path).empty());
  }
}

TEST_CASE("a service file that is a FIFO is refused before libpq opens it") {
  const test::LibpqEnvironment environment;
  const test::TemporaryDirectory directory;
  const std::string fifo = directory.path("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  setenv("PGSERVICEFILE", fifo.c_str(), 1);
  const std::string text = refusal("service=orders");
  unsetenv("PGSERVICEFILE");
  CHECK(text.find("PGSERVICEFILE is " + fifo) != std::string::npos);
}

}  // namespace
}  // namespace pgconn::postgres
