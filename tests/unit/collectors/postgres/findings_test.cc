#include "collectors/postgres/findings.h"

#include <set>

#include "collectors/postgres/setting_rows.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

const std::string kIdle = "idle_in_transaction_session_timeout";
const std::string kDisabled = "idle_in_transaction_timeout_disabled";
const std::string kTooLow = "idle_in_transaction_timeout_too_low";

// What was found, as "name subject", with its fix.
std::map<std::string, std::string> found(const std::vector<Setting>& values,
                                         const std::vector<OverrideRow>& rows = {},
                                         const Options& options = {}, int version = 180000) {
  const FindingInputs inputs{.server_version = version,
                             .settings = read_settings(settings(values)),
                             .overrides = read_overrides(overrides(rows)),
                             .plaintext_remote_rules = std::nullopt,
                             .options = options};
  std::map<std::string, std::string> result;
  for (const Finding& finding : evaluate(inputs)) {
    result[std::string(finding.known->name) + " " + finding.subject] = finding.fix;
  }
  return result;
}

}  // namespace

TEST_CASE("What is not known is not found") {
  CHECK(found({}).empty());
  CHECK(found({{kIdle, "0", "ms", true}, {"ssl", kNull}}).empty());
}

TEST_CASE("A password that any peer could ask for is a finding about the dsn") {
  Options options;
  CHECK(found({}, {}, options).empty());
  options.password_exposed = true;
  const auto findings = found({}, {}, options);
  CHECK(findings.size() == 1);
  CHECK(findings.at("password_to_unverified_server dsn").starts_with("-- in the dsn: sslmode="));
}

TEST_CASE("A warning of the server at our own login is a finding, in its words") {
  const Options options;
  const std::vector<std::string> warnings = {"role password will expire soon: in 23 hours"};
  const auto findings = evaluate({.server_version = 190000,
                                  .settings = {},
                                  .overrides = std::nullopt,
                                  .plaintext_remote_rules = std::nullopt,
                                  .options = options,
                                  .login_warnings = warnings});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].known->name == "login_warned");
  CHECK(findings[0].subject == "dsn");
  CHECK(findings[0].fix == "-- the server says: " + warnings[0]);
}

TEST_CASE("Every known finding has a name of its own, a reason and a fix") {
  std::set<std::string_view> names;
  for (const KnownFinding& known : known_findings()) {
    INFO(known.name);
    CHECK(names.insert(known.name).second);
    CHECK_FALSE(known.when.empty());
    CHECK(known.reason.ends_with('.'));
    CHECK_FALSE(known.fix.empty());
  }
}

TEST_CASE("An idle-in-transaction timeout that is off is found where it applies to anyone") {
  const Setting off{kIdle, "0", "ms"};
  CHECK(found({off}).at(kDisabled + " server") ==
        "ALTER SYSTEM SET idle_in_transaction_session_timeout = '5min'; SELECT pg_reload_conf();");
  CHECK(found({off}, {{kIdle, "1min", "", "app"}}).contains(kDisabled + " server"));
  CHECK(found({off}, {{kIdle, "1min", "", ""}}).empty());
}

TEST_CASE("Each override that switches it off is found, with its own fix") {
  const auto findings = found({{kIdle, "60000", "ms"}}, {{kIdle, "0", "", "Backup \"2\""},
                                                         {kIdle, "0", "shop", ""},
                                                         {kIdle, "0", "shop", "app"},
                                                         {kIdle, "0", "", ""},
                                                         {kIdle, "0", "", "group", false}});
  CHECK(findings.size() == 4);
  CHECK(findings.at(kDisabled + " role Backup \"2\"") ==
        "ALTER ROLE \"Backup \"\"2\"\"\" SET idle_in_transaction_session_timeout = '5min';");
  CHECK(findings.at(kDisabled + " database shop") ==
        "ALTER DATABASE \"shop\" SET idle_in_transaction_session_timeout = '5min';");
  CHECK(findings.at(kDisabled + " role app in database shop") ==
        "ALTER ROLE \"app\" IN DATABASE \"shop\" SET idle_in_transaction_session_timeout = "
        "'5min';");
  CHECK(findings.at(kDisabled + " all roles") ==
        "ALTER ROLE ALL SET idle_in_transaction_session_timeout = '5min';");
}

TEST_CASE("Below a second it is too low, at a second it is not") {
  CHECK(found({{kIdle, "999", "ms"}}).contains(kTooLow + " server"));
  CHECK(found({{kIdle, "1000", "ms"}}).empty());
  CHECK(found({{kIdle, "60000", "ms"}}, {{kIdle, "500ms", "", "app"}})
            .contains(kTooLow + " role app"));
}

TEST_CASE("Other timeouts are disabled only if no override sets them") {
  const Setting off{"statement_timeout", "0", "ms"};
  CHECK(found({off}).contains("statement_timeout_disabled server"));
  CHECK(found({off}, {{"statement_timeout", "30s", "", "app"}}).empty());
  CHECK(found({{"transaction_timeout", "0", "ms"}, {"idle_session_timeout", "0", "ms"}}).size() ==
        2);
  CHECK(found({{"transaction_timeout", "0", "ms"}}, {}, {}, 160000).empty());
}

TEST_CASE("A statement timeout for all is better set for roles") {
  const auto findings = found({{"statement_timeout", "30000", "ms"}});
  CHECK(findings.at("statement_timeout_global server") ==
        "ALTER ROLE <application role> SET statement_timeout = '30000ms'; ALTER SYSTEM RESET "
        "statement_timeout; SELECT pg_reload_conf();");
}

TEST_CASE("Keepalives are compared with the path's idle limit, if it is known") {
  Options options;
  const Setting kernel_default{"tcp_keepalives_idle", "0", "s"};
  CHECK(found({kernel_default}, {}, options).empty());
  options.path_idle_limit = std::chrono::seconds(350);
  CHECK(found({kernel_default}, {}, options).at("keepalive_slower_than_path server") ==
        "ALTER SYSTEM SET tcp_keepalives_idle = 60; SELECT pg_reload_conf(); -- each session "
        "from its next statement on");
  CHECK(found({{"tcp_keepalives_idle", "350", "s"}}, {}, options).size() == 1);
  CHECK(found({{"tcp_keepalives_idle", "349", "s"}}, {}, options).empty());
}

TEST_CASE("A limit that was measured is no whole number of seconds") {
  Options options;
  options.path_idle_limit = std::chrono::milliseconds(2700);
  CHECK(found({{"tcp_keepalives_idle", "3", "s"}}, {}, options).size() == 1);
  CHECK(found({{"tcp_keepalives_idle", "2", "s"}}, {}, options).empty());
}

TEST_CASE("The silence that keepalives leave is the longer of idle time and interval") {
  Options options;
  options.path_idle_limit = std::chrono::seconds(60);
  const std::string name = "keepalive_slower_than_path server";
  const auto with = [&](const std::string& idle, const std::string& interval) {
    return found({{"tcp_keepalives_idle", idle, "s"}, {"tcp_keepalives_interval", interval, "s"}},
                 {}, options);
  };
  CHECK(with("59", "59").empty());
  CHECK(with("30", "60").at(name) ==
        "ALTER SYSTEM SET tcp_keepalives_interval = 10; SELECT pg_reload_conf(); -- each session "
        "from its next statement on");
  CHECK(with("0", "0").at(name) ==
        "ALTER SYSTEM SET tcp_keepalives_idle = 30; ALTER SYSTEM SET tcp_keepalives_interval = 10; "
        "SELECT pg_reload_conf(); -- each session from its next statement on");
}

TEST_CASE("The keepalive budget is idle time plus all probes") {
  const auto with_idle = [](const std::string& idle) {
    return found({{"tcp_keepalives_idle", idle, "s"},
                  {"tcp_keepalives_interval", "10", "s"},
                  {"tcp_keepalives_count", "6"}});
  };
  CHECK(with_idle("0").contains("keepalive_budget_too_long server"));
  CHECK(with_idle("121").contains("keepalive_budget_too_long server"));
  CHECK(with_idle("120").empty());
}

TEST_CASE("Settings of TLS, passwords, logs and slots are looked at one by one") {
  CHECK(found({{"ssl", "off"}, {"ssl_min_protocol_version", "TLSv1"}}).size() == 1);
  CHECK(found({{"ssl", "on"}, {"ssl_min_protocol_version", "TLSv1.1"}})
            .contains("tls_min_protocol_old server"));
  CHECK(found({{"ssl", "on"}, {"ssl_min_protocol_version", ""}}).size() == 1);
  CHECK(found({{"ssl", "on"}, {"ssl_min_protocol_version", "TLSv1.2"}}).empty());
  CHECK(found({{"password_encryption", "md5"}}).contains("password_encryption_md5 server"));
  CHECK(found({{"password_encryption", "scram-sha-256"}}).empty());
  CHECK(found({{"log_connections", ""}, {"log_disconnections", "off"}}).size() == 2);
  CHECK(found({{"superuser_reserved_connections", "0"}}).contains("reserved_slots_zero server"));
  CHECK(found({{"tcp_user_timeout", "0", "ms"}}).contains("tcp_user_timeout_unset server"));
  CHECK(found({{"client_connection_check_interval", "0", "ms"}}).size() == 1);
}

TEST_CASE("A pending restart names what waits for it") {
  CHECK(found({{"ssl", "on", kNull, false, true}}).at("pending_restart server") ==
        "-- restart the server at a time of your choice; waiting: ssl");
}

TEST_CASE("Plaintext rules are named by their place, an empty list is no finding") {
  const Options options;
  FindingInputs inputs{.server_version = 180000,
                       .settings = {},
                       .overrides = std::nullopt,
                       .plaintext_remote_rules = std::vector<std::string>{"pg_hba.conf:98"},
                       .options = options};
  REQUIRE(evaluate(inputs).size() == 1);
  CHECK(evaluate(inputs)[0].fix ==
        "-- write hostssl instead of host at pg_hba.conf:98; then: SELECT pg_reload_conf();");
  inputs.plaintext_remote_rules->clear();
  CHECK(evaluate(inputs).empty());
}
