#include "exporter/cli/listing.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

constexpr auto kUp = metrics::gauge("pgconn_up", "1 if the session answered.");
constexpr auto kErrors = metrics::counter("pgconn_scrape_errors_total", "Errors of a|b and <c>.",
                                          {"reason", "sqlstate"});
constexpr auto kTarget = metrics::info("pgconn_target_info", "Facts.", {"host"});
constexpr auto kDuration = metrics::histogram("pgconn_probe_duration_seconds", "Time taken.");

const std::vector<Section> kSections = {{"Server", "Always there.", {&kUp, &kErrors}},
                                        {"session_ends", "", {&kTarget, &kDuration}}};

TEST_CASE("collectors are listed in columns under a heading") {
  const std::vector<CollectorLine> collectors = {{"server", true, "The server itself."},
                                                 {"session_ends", false, "How sessions end."}};
  CHECK(collectors_text(collectors) ==
        "NAME          DEFAULT  WHAT IT REPORTS\n"
        "server        on       The server itself.\n"
        "session_ends  off      How sessions end.\n");
}

TEST_CASE("a table with rows of unequal length keeps its columns") {
  const std::vector<std::vector<std::string>> rows = {{"a", "b"}, {"long"}, {"c", "dd", "e"}};
  CHECK(text_table(rows) == "a     b\nlong\nc     dd  e\n");
  CHECK(text_table({}).empty());
}

TEST_CASE("probes are listed with their defaults") {
  const std::vector<ProbeLine> probes = {
      {"connect", true, "Connects.", "interval 15s, timeout 5s"},
      {"longquery", false, "Sleeps.", "sleep 10m, list [1s, 2s]"}};
  CHECK(probes_text(probes) ==
        "connect  on\n"
        "    Connects.\n"
        "    defaults: interval 15s, timeout 5s\n"
        "\n"
        "longquery  off\n"
        "    Sleeps.\n"
        "    defaults: sleep 10m, list [1s, 2s]\n");
  CHECK_THAT(probes_markdown(probes),
             Catch::Matchers::EndsWith("| `connect` | on | Connects. | interval 15s, timeout 5s |\n"
                                       "| `longquery` | off | Sleeps. | sleep 10m, list \\[1s, "
                                       "2s\\] |\n"));
}

TEST_CASE("findings are listed with when, why and the fix") {
  const std::vector<FindingLine> findings = {
      {"tls_off", "warning", "ssl is off", "Data | in <clear>.", "ALTER SYSTEM SET ssl = on;"}};
  CHECK_THAT(findings_text(findings),
             Catch::Matchers::EndsWith("\ntls_off  warning\n"
                                       "    when  ssl is off\n"
                                       "    why   Data | in <clear>.\n"
                                       "    fix   ALTER SYSTEM SET ssl = on;\n"));
  CHECK_THAT(
      findings_markdown(findings),
      Catch::Matchers::EndsWith("| `tls_off` | warning | ssl is off | Data \\| in \\<clear\\>. | "
                                "`ALTER SYSTEM SET ssl = on;` |\n"));
}

TEST_CASE("metrics as text have labels, type and help") {
  CHECK(metrics_text(kSections) ==
        "Server\n"
        "Always there.\n"
        "\n"
        "  pgconn_up  gauge\n"
        "      1 if the session answered.\n"
        "\n"
        "  pgconn_scrape_errors_total{reason,sqlstate}  counter\n"
        "      Errors of a|b and <c>.\n"
        "\n"
        "session_ends\n"
        "\n"
        "  pgconn_target_info{host}  info\n"
        "      Facts.\n"
        "\n"
        "  pgconn_probe_duration_seconds  histogram\n"
        "      Time taken.\n");
}

TEST_CASE("metrics as Markdown have a table for each section, with markup in the help escaped") {
  const std::string text = metrics_markdown(kSections);
  CHECK_THAT(text, Catch::Matchers::StartsWith(
                       "<!-- Written by `pgconn_exporter list metrics --format=markdown`. "
                       "Do not edit. -->\n\n# Metrics\n"));
  CHECK_THAT(text, Catch::Matchers::EndsWith(
                       "\n## Server\n\nAlways there.\n\n"
                       "| metric | type | labels | meaning |\n|---|---|---|---|\n"
                       "| `pgconn_up` | gauge | | 1 if the session answered. |\n"
                       "| `pgconn_scrape_errors_total` | counter | `reason`, `sqlstate` | "
                       "Errors of a\\|b and \\<c\\>. |\n"
                       "\n## session\\_ends\n\n"
                       "| metric | type | labels | meaning |\n|---|---|---|---|\n"
                       "| `pgconn_target_info` | info | `host` | Facts. |\n"
                       "| `pgconn_probe_duration_seconds` | histogram | | Time taken. |\n"));
}

}  // namespace
}  // namespace pgconn::exporter
