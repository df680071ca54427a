#include "exporter/cli/command_line.h"

#include <regex>
#include <set>
#include <sstream>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using Subject = List::Subject;

const BuildInfo kBuild{"1.2.3", "abc123", "15.7", "OpenSSL 3.0.15"};

Command parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments, kBuild);
}

template <typename Wanted = Serve>
Wanted accepted(const std::vector<std::string>& arguments) {
  const Command result = parse(arguments);
  if (const Exit* exit = std::get_if<Exit>(&result)) FAIL(exit->text);
  REQUIRE(std::holds_alternative<Wanted>(result));
  return std::get<Wanted>(result);
}

Exit ended(const std::vector<std::string>& arguments) {
  const Command result = parse(arguments);
  REQUIRE(std::holds_alternative<Exit>(result));
  return std::get<Exit>(result);
}

// The first line without the program's name: what the operator did wrong.
std::string mistake(const std::vector<std::string>& arguments) {
  const Exit exit = ended(arguments);
  CHECK(exit.code == 2);
  CHECK_THAT(exit.text, Catch::Matchers::EndsWith("\nTry pgconn_exporter --help.\n"));
  const std::string prefix = "pgconn_exporter: ";
  REQUIRE_THAT(exit.text, Catch::Matchers::StartsWith(prefix));
  return exit.text.substr(prefix.size(), exit.text.find('\n') - prefix.size());
}

TEST_CASE("without arguments the program serves with its defaults") {
  const Serve line = accepted({});
  CHECK(line.config_file.empty());
  REQUIRE(line.listen_addresses.size() == 1);
  CHECK(line.listen_addresses[0].text == kDefaultListenAddress);
  CHECK(line.telemetry_path == "/metrics");
  CHECK(line.max_requests == 40);
  CHECK(line.log_level == log::Level::kInfo);
  CHECK(line.log_format == log::Format::kLogfmt);
}

TEST_CASE("all flags of serve are read, before and behind the command") {
  const std::vector<std::string> flags = {"--config.file=/etc/pgconn_exporter.yml",
                                          "--web.listen-address=:1",
                                          "--web.listen-address",
                                          "[::1]:2",
                                          "--web.telemetry-path=/pg/metrics",
                                          "--web.max-requests=3",
                                          "--log.level=debug",
                                          "--log.format",
                                          "json"};
  std::vector<std::string> behind = {"serve"};
  behind.insert(behind.end(), flags.begin(), flags.end());
  std::vector<std::string> before = flags;
  before.emplace_back("serve");
  for (const auto& arguments : {flags, behind, before}) {
    const Serve line = accepted(arguments);
    CHECK(line.config_file == "/etc/pgconn_exporter.yml");
    REQUIRE(line.listen_addresses.size() == 2);
    CHECK(line.listen_addresses[0].port == 1);
    CHECK(line.listen_addresses[1].host == "::1");
    CHECK(line.telemetry_path == "/pg/metrics");
    CHECK(line.max_requests == 3);
    CHECK(line.log_level == log::Level::kDebug);
    CHECK(line.log_format == log::Format::kJson);
  }
}

TEST_CASE("check-config takes its file as argument or flag") {
  CHECK(accepted<CheckConfig>({"check-config", "a.yml"}).config_file == "a.yml");
  CHECK(accepted<CheckConfig>({"check-config", "--config.file=b.yml"}).config_file == "b.yml");
  CHECK(mistake({"check-config"}) ==
        "check-config needs the file to check: pgconn_exporter check-config FILE");
  CHECK(mistake({"check-config", "a.yml", "b.yml"}) ==
        "unexpected argument \"b.yml\"; the commands are serve, check-config, "
        "list, grants, diagnose");
}

TEST_CASE("list takes a subject and a format") {
  const List line = accepted<List>({"list", "metrics", "--format=markdown"});
  CHECK(line.subject == Subject::kMetrics);
  CHECK(line.format == List::Format::kMarkdown);
  CHECK(accepted<List>({"list", "collectors"}).subject == Subject::kCollectors);
  CHECK(accepted<List>({"list", "probes"}).subject == Subject::kProbes);
  CHECK(accepted<List>({"list", "configuration"}).subject == Subject::kConfiguration);
  CHECK(accepted<List>({"list", "findings"}).subject == Subject::kFindings);
  CHECK(accepted<List>({"list", "findings"}).format == List::Format::kText);
  const std::string allowed = "; allowed: collectors, probes, metrics, configuration, findings";
  CHECK(mistake({"list"}) == "list needs a value" + allowed);
  CHECK(mistake({"list", "everything"}) == "list \"everything\" is unknown" + allowed);
  CHECK(mistake({"list", "metrics", "--format=html"}) ==
        "--format \"html\" is unknown; allowed: text, markdown");
}

TEST_CASE("a value that is not allowed is refused with those that are") {
  CHECK(mistake({"--log.level=trace"}) ==
        "--log.level \"trace\" is unknown; allowed: debug, info, warn, error");
  CHECK(mistake({"--log.format=xml"}) == "--log.format \"xml\" is unknown; allowed: logfmt, json");
  CHECK(mistake({"--web.listen-address=9187"}) ==
        "--web.listen-address \"9187\" is not a listen address: the port is missing; write :PORT, "
        "ADDRESS:PORT or [IPv6]:PORT");
  const std::string number = GENERATE("0", "257", "-1", "many", "1.5", "99999999999");
  CHECK(mistake({"--web.max-requests=" + number}) ==
        "--web.max-requests \"" + number + "\" is not a number from 1 to 256");
  const std::string path =
      GENERATE("metrics", "/", "/metrics/", "/-/healthy", "/a b", "/a?b", "/%41");
  CHECK(mistake({"--web.telemetry-path=" + path}) ==
        "--web.telemetry-path \"" + path +
            "\" is unusable; it must start with a slash, not end with one, not be below /-/, and "
            "have only letters, digits and / - _ . ~");
}

TEST_CASE("an unknown flag is refused with the one that was probably meant") {
  CHECK(mistake({"--log.levle=info"}) == "unknown flag --log.levle; did you mean --log.level?");
  CHECK(mistake({"serve", "--web.listen-adress=:1"}) ==
        "unknown flag --web.listen-adress; did you mean --web.listen-address?");
  CHECK(mistake({"--collector.bgwriter"}) == "unknown flag --collector.bgwriter");
  CHECK(mistake({"frobnicate"}) ==
        "unexpected argument \"frobnicate\"; the commands are serve, check-config, "
        "list, grants, diagnose");
  CHECK(mistake({"--format=markdown"}) == "--format is a flag of another command, see --help");
}

TEST_CASE("a flag without its value and a flag given twice are refused by name") {
  CHECK_THAT(mistake({"--config.file"}), Catch::Matchers::StartsWith("--config.file"));
  CHECK_THAT(mistake({"--log.level=info", "--log.level=warn"}),
             Catch::Matchers::StartsWith("--log.level"));
}

TEST_CASE("the flag --version names program, revision and libraries") {
  const Exit exit = ended({"--version"});
  CHECK(exit.code == 0);
  CHECK(exit.text ==
        "pgconn_exporter, version 1.2.3 (revision: abc123)\n"
        "  libpq:    15.7\n"
        "  openssl:  OpenSSL 3.0.15\n");
}

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE("grants are for a role of any name") {
  CHECK(accepted<Grants>({"grants"}).role == "pgconn");
  const std::string text = accepted<Grants>({"grants", "O'Hara \"x\""}).text();
  CHECK(has(text, "rolname = 'O''Hara \"x\"'"));
  CHECK(has(text, "GRANT pg_read_all_stats TO \"O'Hara \"\"x\"\"\";"));
}

TEST_CASE("diagnose takes a connection string, how long to watch, and JSON") {
  CHECK(accepted<Diagnose>({"diagnose"}).conninfo.empty());
  const Diagnose command = accepted<Diagnose>({"diagnose", "host=db", "--watch=1m", "--json"});
  CHECK(command.conninfo == "host=db");
  CHECK(command.watch == std::chrono::seconds(60));
  CHECK(command.json);
  CHECK(mistake({"diagnose", "--watch=soon"}) == "--watch \"soon\" is no duration from 1s to 1d");
}

TEST_CASE("help is given at any place, even beside a mistake") {
  const std::string help = ended({"--help"}).text;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"-h"},
                                                    {"serve", "--help"},
                                                    {"list", "-h"},
                                                    {"check-config", "--help"},
                                                    {"--log.level=loud", "--help"},
                                                    {"--nonsense", "--help"}}) {
    CHECK(ended(arguments).code == 0);
    CHECK(ended(arguments).text == help);
  }
}

TEST_CASE("help fits a terminal and names exactly the flags that there are") {
  const std::string help = ended({"--help"}).text;
  std::istringstream lines(help);
  // Bytes: the ellipsis counts three, so that a line may look shorter than it is, never longer.
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 82);
  CHECK(help.find("Default: " + std::string(kDefaultListenAddress) + "\n") != std::string::npos);
  std::set<std::string> named;
  const std::regex flag("--[a-z.-]+");
  for (std::sregex_iterator match(help.begin(), help.end(), flag), end; match != end; ++match) {
    named.insert(match->str());
  }
  CHECK(named == std::set<std::string>{"--config.file", "--web.listen-address", "--web.config.file",
                                       "--web.telemetry-path", "--web.max-requests",
                                       "--web.enable-lifecycle", "--log.level", "--log.format",
                                       "--path.procfs", "--path.sysfs", "--path.rootfs", "--format",
                                       "--watch", "--json", "--help", "--version"});
  for (const std::string& name : named) {
    const Command result = parse({"list", "metrics", name + "=x"});
    const Exit* const exit = std::get_if<Exit>(&result);
    CHECK((exit == nullptr || exit->text.find("unknown flag") == std::string::npos));
  }
}

}  // namespace
}  // namespace pgconn::exporter
