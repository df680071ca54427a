#include "config/loader.h"

#include <algorithm>
#include <string>

#include "config/yaml_document.h"
#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string refusal_of_file(const std::string& path) {
  try {
    load_file(path, test_vocabulary());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("without a file there is one target that libpq's environment names") {
  const ValidatedConfig config = from_environment();
  REQUIRE(config->targets.size() == 1);
  CHECK(config->targets[0].name == "default");
  CHECK(config->targets[0].dsn.empty());
  CHECK(config->targets[0].global == Global{});
  CHECK(config->targets[0].probes == Probes{});
}

TEST_CASE("a target inherits from sections that come after it in the file") {
  const ValidatedConfig config = load(
      "targets: [{name: a, lock_timeout: 3s}]\n"
      "collectors: {sessions: {by_client: 7}, limits: false}\n"
      "global: {lock_timeout: 2s, connect_timeout: 4s}\n");
  const Target& target = config->targets.at(0);
  CHECK(target.global.lock_timeout == seconds(3));
  CHECK(target.global.connect_timeout == seconds(4));
  CHECK(target.collectors.sessions.by_client == 7);
  CHECK(config->global.lock_timeout == seconds(2));
  CHECK_FALSE(target.collectors.enabled.at("limits"));
}

TEST_CASE("a mapping switches a collector on unless it says enabled: false") {
  const ValidatedConfig config = load(
      "collectors:\n"
      "  limits: false\n"
      "  blocking: {}\n"
      "  sessions: {enabled: false, by_client: 3}\n"
      "targets: [{name: a, collectors: {limits: {}, sessions: {by_client: 4}}}, {name: b}]\n");
  const Collectors& a = config->targets.at(0).collectors;
  CHECK(a.enabled ==
        std::map<std::string, bool>{{"blocking", true}, {"limits", true}, {"sessions", true}});
  CHECK(a.sessions.by_client == 4);
  const Collectors& b = config->targets.at(1).collectors;
  CHECK(b.enabled ==
        std::map<std::string, bool>{{"blocking", true}, {"limits", false}, {"sessions", false}});
  CHECK(b.sessions.by_client == 3);
}

TEST_CASE("values at both ends of a range are allowed") {
  const ValidatedConfig config = load(
      "global: {scrape_timeout: 10m, connect_timeout: 100ms, statement_timeout: 0, "
      "scrape_timeout_offset: 0s, max_series_per_metric: 0, max_connections_per_target: 300}\n"
      "targets: [{name: a, path_idle_limit: 30d}]\n");
  CHECK(config->global.scrape_timeout == std::chrono::minutes(10));
  CHECK(config->global.connect_timeout == milliseconds(100));
  CHECK(config->global.statement_timeout == seconds(0));
  CHECK(config->global.max_series_per_metric == 0);
  CHECK(config->global.max_connections_per_target == 300);
  CHECK(config->targets.at(0).path_idle_limit == std::chrono::days(30));
}

TEST_CASE("text in quotes is taken as it is") {
  const ValidatedConfig config = load(
      "targets:\n"
      "  - name: \"17\"\n"
      "    dsn: 'host=db options=''-c x=1'''\n"
      "    labels: {shard: \"010\", flag: 'yes', version: 17.2rc, where: \"K\\u00f6ln\"}\n");
  const Target& target = config->targets.at(0);
  CHECK(target.name == "17");
  CHECK(target.dsn == "host=db options='-c x=1'");
  CHECK(target.labels ==
        std::map<std::string, std::string>{
            {"shard", "010"}, {"flag", "yes"}, {"version", "17.2rc"}, {"where", "Köln"}});
}

TEST_CASE("plain text that YAML 1.1 or 1.2 reads as something else needs quotes") {
  for (const std::string text : {"1", "-1", "+1", "010", "0x1F", "0o17", "1.5", ".5", "1e3", "yes",
                                 "No", "ON", "true", "False", "y", ".inf", "-.NaN"}) {
    INFO(text);
    CHECK(refusal("targets: [{name: a, labels: {x: " + text + "}}]\n").find("put it in quotes") !=
          std::string::npos);
  }
  for (const std::string text : {"10.0.0.5", "17.2rc", "1a", "yess", "-x", "0xyz", "infra", "e5"}) {
    INFO(text);
    CHECK(load("targets: [{name: a, labels: {x: " + text + "}}]\n")->targets.at(0).labels.at("x") ==
          text);
  }
}

TEST_CASE("an alias stands for its anchor's value") {
  const ValidatedConfig config = load(
      "targets:\n"
      "  - {name: a, labels: &prod {env: prod}}\n"
      "  - {name: b, labels: *prod}\n");
  CHECK(config->targets.at(1).labels == config->targets.at(0).labels);
}

TEST_CASE("Windows line ends and a byte order mark are no matter") {
  const ValidatedConfig config =
      load("\xEF\xBB\xBFtargets:\r\n  - name: a\r\n    dsn: host=db\r\n");
  CHECK(config->targets.at(0).dsn == "host=db");
  CHECK(refusal("targets:\r\n  - name: a\r\n    nam: b\r\n")
            .starts_with("test.yml:3: targets[0].nam: unknown key, did you mean `name`?"));
}

TEST_CASE("an empty connection string is not checked: it is the environment's server") {
  Vocabulary vocabulary = test_vocabulary();
  vocabulary.check_dsn = [](std::string_view) { return "is refused"; };
  CHECK_NOTHROW(load_text("targets: [{name: a, dsn: \"\"}]", "test.yml", vocabulary));
  CHECK_THROWS_AS(load_text("targets: [{name: a, dsn: host=db}]", "test.yml", vocabulary),
                  ConfigError);
}

TEST_CASE(
    "a target's own value is checked like the file's, and its error names the target's line") {
  CHECK(refusal("global: {scrape_timeout: 1s}\ntargets:\n  - name: a\n    scrape_timeout: 1ms\n") ==
        "test.yml:4: targets[0].scrape_timeout: `1ms` is too short; allowed: 100ms to 10m");
}

TEST_CASE("at most twenty problems are shown, and the rest is counted") {
  std::string yaml = "targets:\n  - name: a\n";
  for (int i = 0; i < 33; ++i) yaml += "    k" + std::to_string(i) + ": x\n";
  const std::string message = refusal(yaml);
  CHECK(std::count(message.begin(), message.end(), '\n') == 20);
  CHECK(message.starts_with("test.yml:3: targets[0].k0: unknown key"));
  CHECK(message.ends_with("\ntest.yml: and 13 more problems"));
}

TEST_CASE("a file that cannot be read is an error that names it") {
  CHECK(refusal_of_file("/nonexistent/pgconn.yml") ==
        "/nonexistent/pgconn.yml: cannot be read: No such file or directory; name a file that the "
        "exporter's user can read");
  CHECK(refusal_of_file("/") ==
        "/: cannot be read: Is a directory; name a file that the exporter's user can read");
}

TEST_CASE("a file larger than the bound is refused, also one without end") {
  const std::string honest = "targets: [{name: a}]\n";
  const std::string padding(kMaxFileBytes - honest.size(), '#');
  CHECK(refusal(honest + padding) == "accepted");
  CHECK(refusal(honest + padding + "#") == "test.yml: is larger than 1 MiB; allowed: up to 1 MiB");
  CHECK(refusal_of_file("/dev/zero") ==
        "/dev/zero: is not a regular file; put the configuration into one, since a pipe or "
        "device could not be read a second time");
}

}  // namespace
}  // namespace pgconn::config
