#include "sources/server_log/remote_sql.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace std::chrono_literals;

namespace pgconn::server_log {
namespace {

using postgres::Cell;
using postgres::Rows;

const TimePoint kNow(1'700'000'000s);

RemoteAccess access() {
  RemoteAccess access;
  access.has_collector = true;
  access.destination = "stderr";
  access.directory = "log";
  access.role = "pgconn";
  access.may_list = true;
  access.may_read = true;
  return access;
}

std::string told(const RemoteAccess& access) {
  const auto obstacle = obstacle_of(access);
  return obstacle ? std::string(to_string(obstacle->trouble)) + ": " + obstacle->text : "";
}

std::vector<std::string> names(const std::vector<std::string>& names, Format format) {
  std::vector<Cell> cells;
  for (const std::string& name : names) {
    cells.insert(cells.end(), {Cell(name), Cell("10"), Cell("100"), Cell("130")});
  }
  std::vector<std::string> result;
  for (const RemoteFile& file :
       files_of(Rows({"name", "size", "modified", "clock"}, std::move(cells)), format, kNow)) {
    result.push_back(file.name);
  }
  return result;
}

TEST_CASE("remote log: with the rights and the settings nothing is in the way") {
  CHECK(told(access()).empty());
  CHECK(format_of(access()) == Format::kStderr);
}

TEST_CASE("remote log: a missing right is told with the statement that grants it") {
  RemoteAccess none = access();
  none.may_list = false;
  none.may_read = false;
  none.directory = "";
  none.role = "my\"role";
  CHECK(told(none).find("denied: ") == 0);
  CHECK(told(none).find("GRANT pg_read_all_settings TO \"my\"\"role\"; GRANT EXECUTE ON "
                        "FUNCTION pg_catalog.pg_ls_logdir() TO \"my\"\"role\";") !=
        std::string::npos);
  RemoteAccess monitor = access();
  monitor.may_read = false;
  CHECK(told(monitor).find("pg_ls_logdir") == std::string::npos);
  CHECK(told(monitor).find("GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, "
                           "bigint, bigint, boolean) TO \"pgconn\";") != std::string::npos);
}

TEST_CASE("remote log: a server without log files of its own is told what to set") {
  RemoteAccess no_collector = access();
  no_collector.has_collector = false;
  CHECK(told(no_collector).find("missing: ") == 0);
  CHECK(told(no_collector).find("logging_collector = on") != std::string::npos);
  RemoteAccess to_syslog = access();
  to_syslog.destination = "syslog";
  CHECK(told(to_syslog).find("log_destination") != std::string::npos);
}

TEST_CASE("remote log: of several formats the one that tells most is read") {
  RemoteAccess all = access();
  all.destination = "stderr, csvlog";
  CHECK(format_of(all) == Format::kCsv);
  all.destination = "stderr,JSONLOG,csvlog";
  CHECK(format_of(all) == Format::kJson);
}

TEST_CASE("remote log: only files of the format are listed, and none with a name to beware of") {
  const std::vector<std::string> all = {"a.log",  "a.csv",     "a.json",   "a.log.gz",
                                        "b'.log", "c\\.log",   "d\n.log",  "postgresql-Mon",
                                        "",       "../x.json", "e f.json", "a.json.zst"};
  CHECK(names(all, Format::kStderr) == std::vector<std::string>{"a.log", "postgresql-Mon"});
  CHECK(names(all, Format::kCsv) == std::vector<std::string>{"a.csv"});
  CHECK(names(all, Format::kJson) == std::vector<std::string>{"a.json", "e f.json"});
}

TEST_CASE("remote log: when a file was written is told by our clock, whatever the server's says") {
  const Rows rows({"name", "size", "modified", "clock"},
                  {Cell("a.log"), Cell("10"), Cell("100"), Cell("130"),  //
                   Cell("b.log"), Cell("-1"), Cell("1e300"), Cell("0")});
  const auto files = files_of(rows, Format::kStderr, kNow);
  REQUIRE(files.size() == 2);
  CHECK(files[0].written == kNow - 30s);
  CHECK(files[0].size == 10);
  CHECK(files[1].size == 0);
}

TEST_CASE("remote log: names are quoted in the query") {
  const std::string sql = reading_sql("o'dd\\dir", {{"a.log", 7, 100}, {"b.log", 0, 0}});
  CHECK(sql.find("E'o''dd\\\\dir/'") != std::string::npos);
  CHECK(sql.find("(VALUES ('a.log',7,100),('b.log',0,0))") != std::string::npos);
}

TEST_CASE("remote log: contents come as hexadecimal, and files that are gone are left out") {
  const std::vector<std::string> columns = {"name", "piece", "head"};
  const auto contents = contents_of(Rows(columns, {Cell("a"), Cell("00ff6a"), Cell("61"),  //
                                                   Cell("gone"), Cell(), Cell(),           //
                                                   Cell("b"), Cell(), Cell("")}));
  REQUIRE(contents.size() == 2);
  CHECK(contents[0].piece == std::string("\0\xffj", 3));
  CHECK(contents[0].head == "a");
  CHECK(contents[1].name == "b");
  CHECK(contents[1].piece.empty());
  CHECK_THROWS_AS(contents_of(Rows(columns, {Cell("a"), Cell("0"), Cell("")})),
                  std::invalid_argument);
  CHECK_THROWS_AS(contents_of(Rows(columns, {Cell("a"), Cell("zz"), Cell("")})),
                  std::invalid_argument);
}

}  // namespace
}  // namespace pgconn::server_log
