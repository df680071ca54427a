#include "exporter/cli/list_command.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("every probe is listed, with the defaults of the configuration") {
  const std::string text = List{List::Subject::kProbes, List::Format::kText}.text();
  CHECK(
      text.starts_with("connect  on\n"
                       "    Opens a fresh connection each interval and times its phases.\n"
                       "    defaults: interval 15s, timeout 5s\n"));
  CHECK(contains(text, "\nroundtrip  on\n"));
  CHECK(contains(text, "\nidle  on\n"));
  CHECK(contains(text, "\nlongquery  off\n"));
  CHECK(contains(text, "\ncertificate  on\n"));
  CHECK_FALSE(contains(text, "duration_buckets"));
  CHECK(contains(List{List::Subject::kProbes, List::Format::kMarkdown}.text(),
                 "| `connect` | on | "));
}

}  // namespace
}  // namespace pgconn::exporter
