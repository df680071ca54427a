#include <string>

#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

TEST_CASE("docs/configuration.md is what the schema says") {
  INFO("to regenerate: pgconn_exporter list configuration > docs/configuration.md");
  CHECK(read_source("docs/configuration.md") == reference_markdown());
}

TEST_CASE("every YAML example in the reference loads") {
  const std::string begin = "```yaml\n";
  const std::string text = reference_markdown();
  int examples = 0;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at += begin.size();
    const std::string yaml = text.substr(at, text.find("```", at) - at);
    INFO(yaml);
    CHECK(refusal(yaml) == "accepted");
    ++examples;
  }
  CHECK(examples == 10);
}

TEST_CASE("the messages that the reference shows are the loader's") {
  const std::string yaml =
      "global:\n  scrape_timeout: 10\ncollectors:\n  sessions:\n    by_client: -1\n"
      "targets: [{name: orders}]\n";
  CHECK(reference_markdown().find("```\n" + refusal(yaml, "pgconn.yml") + "\n```") !=
        std::string::npos);
}

TEST_CASE("the reference begins with the smallest example file") {
  std::string minimal = read_source("config/examples/minimal.yml");
  minimal.erase(0, minimal.find("targets:"));
  CHECK(reference_markdown().find("```yaml\n" + minimal + "```") != std::string::npos);
}

}  // namespace
}  // namespace pgconn::config
