#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

std::string target(const std::string& server_log) {
  return "targets: [{name: a, server_log: " + server_log + "}]\n";
}

}  // namespace

TEST_CASE("a server's log is read if its files are named, with the prefix that PostgreSQL has") {
  const ValidatedConfig config = load(target("{files: [/var/log/pg/*.log, /x.csv]}"));
  const ServerLog& log = config->targets.at(0).server_log;
  CHECK(log.files == std::vector<std::string>{"/var/log/pg/*.log", "/x.csv"});
  CHECK(log.line_prefix == "%m [%p] ");
  CHECK(log.state_file.empty());
  CHECK(load("targets: [{name: a}]\n")->targets.at(0).server_log.files.empty());
}

TEST_CASE("its prefix and its state file can be given") {
  const ValidatedConfig config =
      load(target("{files: [/x.log], line_prefix: '%t ', state_file: /var/lib/a.state}"));
  CHECK(config->targets.at(0).server_log.line_prefix == "%t ");
  CHECK(config->targets.at(0).server_log.state_file == "/var/lib/a.state");
}

TEST_CASE("a server's log can be asked of the server, at an interval") {
  const ValidatedConfig config = load(
      "targets: [{name: a, max_connections_per_target: 8, "
      "server_log: {from: sql, interval: 30s, state_file: /s}}]\n");
  const ServerLog& log = config->targets.at(0).server_log;
  CHECK(log.from == LogOrigin::kSql);
  CHECK(log.interval == std::chrono::seconds(30));
  CHECK(load(target("{files: [/x]}"))->targets.at(0).server_log.from == LogOrigin::kFiles);
  CHECK(load(target("{from: files, files: [/x]}"))->targets.at(0).server_log.from ==
        LogOrigin::kFiles);
  CHECK(load("targets: [{name: a}]\n")->targets.at(0).server_log.from == LogOrigin::kNowhere);
}

TEST_CASE("a server's log can come from the journal, a container or standard input") {
  const ServerLog journal =
      load(target("{from: journal, units: [postgresql@17-main], directory: /host/journal}"))
          ->targets.at(0)
          .server_log;
  CHECK(journal.from == LogOrigin::kJournal);
  CHECK(journal.units == std::vector<std::string>{"postgresql@17-main"});
  CHECK(journal.directory == "/host/journal");
  const ServerLog pod = load(target("{files: [/x/*.log], container: true, format: cloudnativepg}"))
                            ->targets.at(0)
                            .server_log;
  CHECK(pod.container);
  CHECK(pod.format == LogFormat::kCloudNativePg);
  CHECK(load(target("{from: stdin}"))->targets.at(0).server_log.from == LogOrigin::kStdin);
}

TEST_CASE("standard input is read for one target only") {
  const std::string message = refusal(
      "targets:\n- {name: a, server_log: {from: stdin}}\n- {name: b, server_log: {from: stdin}}\n");
  CAPTURE(message);
  CHECK(message.find("standard input is already read by the target on line 2") !=
        std::string::npos);
}

TEST_CASE("asking the server for its log takes a connection of the target's") {
  const std::string message = refusal(target("{from: sql}"));
  CAPTURE(message);
  CHECK(message.find("needs 8 connections") != std::string::npos);
  CHECK(message.find("+ 1 for server_log") != std::string::npos);
}

TEST_CASE("what cannot be a server's log is refused with what is allowed") {
  const auto refused = [](const std::string& server_log, std::string_view words) {
    const std::string message = refusal(target(server_log));
    CAPTURE(server_log, message);
    CHECK(message.find(words) != std::string::npos);
  };
  refused("{}", "`files` is missing");
  refused("{files: []}", "has 0 entries; allowed: a list of 1 to 20 absolute paths");
  refused("{files: [relative.log]}", "server_log.files[0]: is not allowed; allowed: an absolute");
  refused("{files: /x.log}", "allowed: a list of 1 to 20 absolute paths");
  refused("{files: [/x.log], state_file: here}", "server_log.state_file");
  refused("{files: [/x.log], line_prefix: '%y'}", "has the escape %y");
  refused("{files: [/x.log], line_prefx: '%t'}", "did you mean `line_prefix`?");
  refused("{from: tape}",
          "server_log.from: is not of the allowed form; allowed: files, sql, stdin, journal");
  refused("{from: sql, files: [/x]}", "files: is only for `from: files`");
  refused("{from: sql, line_prefix: '%m '}", "line_prefix: is asked of the server");
  refused("{files: [/x], interval: 5s}", "interval: is only for `from: sql`");
  refused("{from: sql, interval: 1ms}", "1s to 10m");
  refused("{from: sql, format: csvlog}", "format: is asked of the server");
  refused("{from: journal, files: [/x]}", "files: is only for `from: files`");
  refused("{from: journal, container: true}", "container: is not for `from: journal`");
  refused("{from: journal, units: ['']}", "units[0]: is not allowed");
  refused("{from: journal, directory: here}", "server_log.directory");
  refused("{from: stdin, units: [a]}", "units: is only for `from: journal`");
  refused("{files: [/x], format: syslog}",
          "allowed: stderr, csvlog, jsonlog, cloudnativepg, pgbouncer");
  refused("{files: [/x], format: csvlog, container: true}", "is in no container's log");
  refused("true", "a mapping with at least `files`");
}

TEST_CASE("two targets cannot keep their places in one file") {
  const std::string log = "server_log: {files: [/x.log], state_file: /s}";
  const std::string message =
      refusal("targets: [{name: a, " + log + "}, {name: b, " + log + "}]\n");
  CAPTURE(message);
  CHECK(message.find("`/s` is already the name of the state file") != std::string::npos);
}

TEST_CASE("a host is looked at where a target says so") {
  CHECK_FALSE(load("targets: [{name: a}]\n")->targets.at(0).host);
  CHECK(load("targets: [{name: a, host: true}]\n")->targets.at(0).host);
}

}  // namespace pgconn::config
