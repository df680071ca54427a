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
