#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

Collected sessions(const std::vector<Group>& groups, const Options& options = {}) {
  Readings readings;
  readings.put(activity_reading(options), activity(groups));
  return collect(sessions_collector(), readings, options);
}

Collected with_timeouts(const std::vector<Group>& groups, const Setting& server,
                        const std::vector<OverrideRow>& rows) {
  Readings readings;
  readings.put(activity_reading({}), activity(groups));
  readings.put(settings_reading(), settings({server}));
  readings.put(overrides_reading(), overrides(rows));
  return collect(sessions_collector(), readings);
}

const std::string kTimeout = "idle_in_transaction_session_timeout";
const Group kIdleInTransaction{.state = "idle in transaction", .state_ages = {30}};
const std::string kRatio = "pgconn_idle_in_transaction_timeout_ratio{shop,app}";

}  // namespace

TEST_CASE("Groups of one owner and state are one series, and ours are not counted") {
  const auto collected = sessions({{.link = "tls/remote", .sessions = 3},
                                   {.link = "unix/local", .sessions = 4},
                                   {.application = "pgconn_exporter/collect", .sessions = 9},
                                   {.backend_type = "walsender", .sessions = 9}});
  CHECK(collected.at("pgconn_sessions{shop,app,web,idle}") == 7);
  CHECK(collected.count("pgconn_sessions") == 1);
}

TEST_CASE("The age of a state and that of a transaction are told apart") {
  const auto collected = sessions({{.state = "idle in transaction",
                                    .sessions = 2,
                                    .transaction_age = "600",
                                    .session_age = "7200",
                                    .state_ages = {5, 20}}});
  CHECK(collected.at("pgconn_session_state_oldest_seconds{shop,app,web,idle in transaction}") ==
        Approx(20));
  CHECK(collected.at("pgconn_transaction_oldest_seconds{shop,app,web,idle in transaction}") == 600);
  CHECK(collected.at("pgconn_session_oldest_seconds{}") == 7200);
}

TEST_CASE("A session without a transaction has no transaction age") {
  const auto collected = sessions({{.state_ages = {5}}});
  CHECK(collected.count("pgconn_transaction_oldest_seconds") == 0);
}

TEST_CASE("Ages are counted by the configured steps, usual states from 0 on") {
  Options options;
  options.ages = {std::chrono::seconds(10), std::chrono::seconds(90), std::chrono::hours(1)};
  const auto collected =
      sessions({{.sessions = 3, .state_ages = {10, 11, 4000}}, {.state_ages = {91}}}, options);
  CHECK(collected.at("pgconn_sessions_over_age{idle,10}") == 3);
  CHECK(collected.at("pgconn_sessions_over_age{idle,90}") == 2);
  CHECK(collected.at("pgconn_sessions_over_age{idle,3600}") == 1);
  CHECK(collected.at("pgconn_sessions_over_age{idle in transaction (aborted),3600}") == 0);
}

TEST_CASE("Active sessions that wait are counted by their event") {
  const auto collected =
      sessions({{.state = "active", .wait = "Lock/transactionid"},
                {.role = "other", .state = "active", .wait = "Lock/transactionid"},
                {.state = "active"}});
  CHECK(collected.at("pgconn_sessions_waiting{Lock,transactionid}") == 2);
  CHECK(collected.count("pgconn_sessions_waiting") == 1);
}

TEST_CASE("A session that has not reported a state yet is starting") {
  const auto collected =
      sessions({{.database = kNull, .role = kNull, .application = kNull, .state = kNull}});
  CHECK(collected.at("pgconn_sessions{,,,starting}") == 1);
}

TEST_CASE("Clients are told apart on demand, the largest by name and the rest in one") {
  Options options;
  options.by_client = 2;
  const auto collected = sessions({{.sessions = 5, .client = "10.0.0.1"},
                                   {.sessions = 1, .client = "10.0.0.2"},
                                   {.state = "active", .sessions = 2, .client = "10.0.0.2"},
                                   {.sessions = 1, .client = "10.0.0.3"},
                                   {.sessions = 2, .client = kNull}},
                                  options);
  CHECK(collected.at("pgconn_sessions_by_client{10.0.0.1}") == 5);
  CHECK(collected.at("pgconn_sessions_by_client{10.0.0.2}") == 3);
  CHECK(collected.at("pgconn_sessions_by_client{other}") == 3);
  CHECK(sessions({{}}).count("pgconn_sessions_by_client") == 0);
}

TEST_CASE("The ratio is of the longest idle time and the server's timeout") {
  const auto collected = with_timeouts(
      {{.application = "batch", .state = "idle in transaction (aborted)", .state_ages = {45}},
       kIdleInTransaction},
      {kTimeout, "60000", "ms"}, {});
  CHECK(collected.at(kRatio) == Approx(0.75));
}

TEST_CASE("What pg_dump switched off for itself has no ratio") {
  const Group dump{.application = "pg_dump", .state = "idle in transaction", .state_ages = {3000}};
  const Setting on{kTimeout, "60000", "ms"};
  CHECK_FALSE(with_timeouts({dump}, on, {}).has(kRatio));
  CHECK(with_timeouts({dump, kIdleInTransaction}, on, {}).at(kRatio) == Approx(0.5));
}

TEST_CASE("An override is taken in PostgreSQL's order") {
  const Setting server{kTimeout, "600000", "ms"};
  std::vector<OverrideRow> rows{{kTimeout, "5min", "", ""}};
  CHECK(with_timeouts({kIdleInTransaction}, server, rows).at(kRatio) == Approx(30.0 / 300));
  rows.push_back({kTimeout, "2min", "shop", ""});
  CHECK(with_timeouts({kIdleInTransaction}, server, rows).at(kRatio) == Approx(30.0 / 120));
  rows.push_back({kTimeout, "100s", "", "app"});
  CHECK(with_timeouts({kIdleInTransaction}, server, rows).at(kRatio) == Approx(30.0 / 100));
  rows.push_back({kTimeout, "40000", "shop", "app"});
  CHECK(with_timeouts({kIdleInTransaction}, server, rows).at(kRatio) == Approx(30.0 / 40));
}

TEST_CASE("No ratio where the timeout is off, masked, unreadable or not known") {
  const Setting on{kTimeout, "60000", "ms"};
  const Setting off{kTimeout, "0", "ms"};
  const Setting masked{kTimeout, "60000", "ms", true};
  CHECK_FALSE(with_timeouts({kIdleInTransaction}, off, {}).has(kRatio));
  CHECK_FALSE(with_timeouts({kIdleInTransaction}, masked, {}).has(kRatio));
  CHECK_FALSE(with_timeouts({kIdleInTransaction}, on, {{kTimeout, "0", "", "app"}}).has(kRatio));
  CHECK_FALSE(with_timeouts({kIdleInTransaction}, on, {{kTimeout, "x", "", "app"}}).has(kRatio));
  CHECK_FALSE(sessions({kIdleInTransaction}).has(kRatio));
}

TEST_CASE("An override makes the ratio known where the server's own value is masked") {
  const Setting masked{kTimeout, "60000", "ms", true};
  const auto collected =
      with_timeouts({kIdleInTransaction}, masked, {{kTimeout, "1min", "", "app"}});
  CHECK(collected.at(kRatio) == Approx(0.5));
}
