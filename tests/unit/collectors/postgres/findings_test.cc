#include "collectors/postgres/findings.h"

#include <set>

#include "collectors/postgres/setting_rows.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

constexpr double kMegabyte = 1024.0 * 1024;
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

TEST_CASE("Without knowing the host there are no findings about it") {
  CHECK(found({{"shared_buffers", "1048576", "8kB"},
               {"work_mem", "1048576", "kB"},
               {"max_connections", "1000"}})
            .empty());
}

TEST_CASE("Memory is compared with shared_buffers and two times work_mem for each connection") {
  Options options;
  options.host.memory = 1024.0 * kMegabyte;
  const auto with = [&](const std::string& work_mem, const std::string& connections) {
    return found({{"shared_buffers", "224", "MB"},
                  {"work_mem", work_mem, "MB"},
                  {"max_connections", connections}},
                 {}, options);
  };
  const std::string name = "work_mem_times_connections server";
  CHECK(with("4", "100").empty());
  CHECK(with("8", "50").empty());
  CHECK(with("9", "50").at(name) ==
        "ALTER SYSTEM SET work_mem = '8MB'; SELECT pg_reload_conf(); -- and more for the roles "
        "that need it");
  CHECK(with("4", "101").at(name) ==
        "ALTER SYSTEM SET work_mem = '4MB'; ALTER SYSTEM SET max_connections = 100; -- needs a "
        "restart; put a pool in front");
}

TEST_CASE("What is advised for work_mem is no finding any more") {
  Options options;
  options.host.memory = 4096.0 * kMegabyte;
  const auto with = [&](const std::string& work_mem) {
    return found({{"shared_buffers", "1600", "MB"},
                  {"work_mem", work_mem, "MB"},
                  {"max_connections", "100"}},
                 {}, options);
  };
  CHECK(with("13").at("work_mem_times_connections server").find("work_mem = '12MB'") !=
        std::string::npos);
  CHECK(with("12").empty());
}

TEST_CASE("shared_buffers may have two fifths of the memory") {
  Options options;
  options.host.memory = 1000.0 * kMegabyte;
  CHECK(found({{"shared_buffers", "400", "MB"}}, {}, options).empty());
  CHECK(found({{"shared_buffers", "401", "MB"}}, {}, options).at("shared_buffers_share server") ==
        "ALTER SYSTEM SET shared_buffers = '250MB'; -- needs a restart");
}

TEST_CASE("A postmaster that the kernel may choose is a finding about the host") {
  Options options;
  options.host.postmaster_oom_score_adj = -1;
  CHECK(found({}, {}, options).empty());
  options.host.postmaster_oom_score_adj = 0;
  CHECK(found({}, {}, options).contains("oom_score_unprotected host"));
  options.host.limited = true;
  CHECK(found({}, {}, options).contains("oom_score_unprotected host"));
}

TEST_CASE("Overcommit and swap count where no cgroup limits the server") {
  Options options;
  options.host.overcommit_memory = 2;
  options.host.swap = 1;
  CHECK(found({}, {}, options).empty());
  options.host.overcommit_memory = 0;
  options.host.swap = 0;
  CHECK(found({}, {}, options).contains("overcommit host"));
  CHECK(found({}, {}, options).contains("no_swap host"));
  options.host.overcommit_memory = 1;
  CHECK(found({}, {}, options).contains("overcommit host"));
  options.host.limited = true;
  CHECK(found({}, {}, options).empty());
}

TEST_CASE("What the kernel itself has for keepalives counts where it is known") {
  Options options;
  options.path_idle_limit = std::chrono::seconds(350);
  const std::vector<Setting> left = {{"tcp_keepalives_idle", "0", "s"},
                                     {"tcp_keepalives_interval", "0", "s"},
                                     {"tcp_keepalives_count", "0"}};
  const auto with = [&](const KernelKeepalives& kernel) {
    return evaluate({.server_version = 180000,
                     .settings = read_settings(settings(left)).on(kernel),
                     .overrides = std::nullopt,
                     .plaintext_remote_rules = std::nullopt,
                     .options = options})
        .size();
  };
  CHECK(with({}) == 2);
  CHECK(with({.idle = 60, .interval = 10, .count = 6}) == 0);
  CHECK(with({.idle = 350, .interval = 10, .count = 6}) == 2);
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
