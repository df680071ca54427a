#include "exporter/log/log_format.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::exporter::log {
namespace {

using namespace std::chrono_literals;

std::string line(Format kind, std::string_view message, const std::vector<Field>& fields = {}) {
  const std::chrono::system_clock::time_point time(1767323045678ms);  // 2026-01-02T03:04:05.678Z
  return format(Record{time, Level::kWarn, message, fields}, kind);
}

const std::string kLogfmtStart = "ts=2026-01-02T03:04:05.678Z level=warn msg=";

TEST_CASE("a logfmt line has time, level, message and fields in their order") {
  CHECK(line(Format::kLogfmt, "cannot connect", {{"target", "orders"}, {"phase", "tcp"}}) ==
        kLogfmtStart + "\"cannot connect\" target=orders phase=tcp");
}

TEST_CASE("logfmt quotes what would otherwise be read wrongly, and only that") {
  const auto [value, written] = GENERATE(table<std::string, std::string>({
      {"plain", "plain"},
      {"10.0.0.1:5432/app-1_x", "10.0.0.1:5432/app-1_x"},
      {"", "\"\""},
      {"two words", "\"two words\""},
      {"a=b", "\"a=b\""},
      {"say \"hi\"", "\"say \\\"hi\\\"\""},
      {"C:\\data", "\"C:\\\\data\""},
      {"first\nsecond\r\n", "\"first\\nsecond\\r\\n\""},
      {"tab\there", "\"tab\\there\""},
      {"\x1b[31mred", "\"\\u001b[31mred\""},
      {"gr\xC3\xBCn", "\"gr\xC3\xBCn\""},
      {"\xC2\x80\xC2\x9F\xC2\xA0", "\"\\u0080\\u009f\xC2\xA0\""},
      {"\xE2\x80\xA9\xE2\x80\xAA\xE2\x80\xAE\xE2\x80\xAF",
       "\"\xE2\x80\xA9\\u202a\\u202e\xE2\x80\xAF\""},
      {"\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA",
       "\"\xE2\x81\xA5\\u2066\\u2069\xE2\x81\xAA\""},
  }));
  CHECK(line(Format::kLogfmt, "m", {{"k", value}}) == kLogfmtStart + "m k=" + written);
}

TEST_CASE("a JSON line is an object with the same facts in the same order") {
  CHECK(line(Format::kJson, "cannot \"connect\"\n", {{"target", "orders"}, {"code", "57P01"}}) ==
        R"({"ts":"2026-01-02T03:04:05.678Z","level":"warn","msg":"cannot \"connect\"\n",)"
        R"("target":"orders","code":"57P01"})");
}

TEST_CASE("no value can break a record into two lines or make invalid text") {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  for (const Format kind : {Format::kLogfmt, Format::kJson}) {
    const std::string text = line(kind, bytes, {{"k", bytes}});
    CHECK(text.find_first_of("\r\n\0", 0, 3) == std::string::npos);
    CHECK(text.find("\xEF\xBF\xBD") != std::string::npos);
  }
  const auto read = nlohmann::json::parse(line(Format::kJson, bytes, {{"k", "\xFFok"}}));
  CHECK(read.at("k") == "\xEF\xBF\xBDok");
}

TEST_CASE("times before a whole second keep their leading zeros") {
  const std::chrono::system_clock::time_point time(7ms);
  CHECK(format(Record{time, Level::kInfo, "m", {}}, Format::kLogfmt) ==
        "ts=1970-01-01T00:00:00.007Z level=info msg=m");
}

TEST_CASE("levels have the names the command line takes") {
  CHECK(to_string(Level::kDebug) == "debug");
  CHECK(to_string(Level::kInfo) == "info");
  CHECK(to_string(Level::kWarn) == "warn");
  CHECK(to_string(Level::kError) == "error");
}

}  // namespace
}  // namespace pgconn::exporter::log
