// The log of a CloudNativePG instance, as its documentation shows it.
#include "sources/server_log/cloudnativepg_parser.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

std::string around(const std::string& record, const std::string& logger = "postgres") {
  return R"({"level":"info","ts":"2026-11-29T13:36:11.823314307Z","logger":")" + logger +
         R"(","msg":"record","logging_pod":"orders-1","record":)" + record + "}\n";
}

std::string record(const std::string& message, const std::string& more = "") {
  return R"({"log_time":"2026-11-29 13:36:11.822 UTC","user_name":"app","database_name":"orders",)"
         R"("process_id":"4003","connection_from":"[local]","session_id":"69376dbf.fa3",)"
         R"("session_line_num":"1","command_tag":"SELECT","session_start_time":)"
         R"("2026-11-29 13:30:55 UTC","virtual_transaction_id":"2/81","transaction_id":"0",)"
         R"("error_severity":"FATAL","sql_state_code":"57P01","message":")" +
         message + "\"" + more +
         R"(,"application_name":"psql","backend_type":"client backend","query_id":"0"})";
}

Collected parsed(const std::string& text, ParseFaults* faults = nullptr) {
  CloudNativePgParser parser;
  Collected collected = parse(parser, text, 11);
  if (faults != nullptr) *faults = parser.faults();
  return collected;
}

TEST_CASE("cloudnativepg: an entry of the server is in the record") {
  ParseFaults faults;
  const Collected all =
      parsed(around(record(R"(terminating \"x\" \u003c1)", R"(,"detail":"because")")), &faults);
  REQUIRE(all.entries.size() == 1);
  const Copied& entry = all.entries.front();
  CHECK(entry.severity == Severity::kFatal);
  CHECK(entry.sqlstate == "57P01");
  CHECK(entry.pid == 4003);
  CHECK(entry.user == "app");
  CHECK(entry.database == "orders");
  CHECK(entry.backend_type == "client backend");
  CHECK(entry.message == "terminating \"x\" <1");
  CHECK(entry.detail == "because");
  CHECK(entry.time.has_value());
  CHECK(faults == ParseFaults{});
}

TEST_CASE("cloudnativepg: what other loggers say is passed over, and is no fault") {
  ParseFaults faults;
  CHECK(parsed(around("{}", "instance-manager") +
                   R"({"level":"info","ts":"2026-11-29T13:36:11Z","msg":"Starting","pid":1})"
                   "\n" +
                   R"({"level":"info","logger":"postgres","msg":"plain","pipe":"stderr"})"
                   "\n" +
                   around(record("one")) + around(R"({"a":[1,{"b":"}"}]})", "wal-archive"),
               &faults)
            .entries.size() == 1);
  CHECK(faults == ParseFaults{});
}

TEST_CASE("cloudnativepg: an audit's record has another object in it") {
  CHECK(parsed(around(record("", R"(,"audit":{"audit_type":"SESSION","class":"READ"})"), "pgaudit"))
            .entries.size() == 1);
}

TEST_CASE("cloudnativepg: torn lines are counted, and told if there is nothing else") {
  ParseFaults faults;
  const std::string whole = around(record("one"));
  CHECK(parsed(whole.substr(0, 300) + "\n" + whole, &faults).entries.size() == 1);
  CHECK(faults.torn == 1);
  CHECK(parsed(around(R"({"error_severity":"LOG"})"), &faults).entries.empty());
  CHECK(faults.torn == 1);
  CloudNativePgParser parser;
  for (int i = 0; i < 10; ++i) parser.feed("2026-11-29 13:36:11 UTC LOG:  text\n", [](auto&) {});
  CHECK(parser.misfit().find("no objects of a CloudNativePG instance") != std::string::npos);
}

TEST_CASE("cloudnativepg: the beginning of an entry that is too long counts") {
  ParseFaults faults;
  const Collected all = parsed(around(record("deadlock " + std::string(2 << 20, 'x'))), &faults);
  REQUIRE(all.entries.size() == 1);
  CHECK(all.entries.front().message.starts_with("deadlock "));
  CHECK(faults.oversize == 1);
}

}  // namespace
}  // namespace pgconn::server_log
