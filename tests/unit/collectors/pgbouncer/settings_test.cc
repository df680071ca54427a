#include <algorithm>
#include <chrono>
#include <map>
#include "collectors/pgbouncer/findings.h"

#include "tests/unit/collectors/pgbouncer/console_answers.h"

using namespace pgconn::collectors;
using namespace std::chrono_literals;
using pgconn::postgres::Rows;
using Settings = std::vector<std::pair<std::string, std::string>>;

namespace {

// Nothing is wrong with them.
Settings sound(const Settings& changes = {}) {
  Settings settings = {{"idle_transaction_timeout", "60"},
                       {"query_wait_timeout", "30"},
                       {"server_lifetime", "3600"},
                       {"server_idle_timeout", "600"},
                       {"tcp_keepalive", "1"},
                       {"tcp_keepidle", "60"},
                       {"tcp_keepintvl", "10"},
                       {"server_tls_sslmode", "verify-full"},
                       {"so_reuseport", "0"},
                       {"peer_id", "0"}};
  for (const auto& [name, value] : changes) {
    const auto found = std::ranges::find(settings, name, &Settings::value_type::first);
    if (found == settings.end()) {
      settings.emplace_back(name, value);
    } else {
      found->second = value;
    }
  }
  return settings;
}

struct Place {
  int version = 12601;
  std::optional<std::chrono::milliseconds> path = {};
  std::optional<bool> remote = true;
};

std::map<std::string, std::string> found(const Settings& changes, const Place& place = {}) {
  const PoolerConfig config = read_pooler_config(config_rows(sound(changes)));
  std::map<std::string, std::string> fixes;
  for (const Finding& finding :
       evaluate_pooler({place.version, config, place.path, place.remote})) {
    CHECK(finding.subject == "pgbouncer");
    fixes.emplace(finding.known->name, finding.fix);
  }
  return fixes;
}

bool finds(std::string_view name, const Settings& changes, const Place& place = {}) {
  const auto all = found(changes, place);
  CHECK(all.size() <= 1);
  return all.contains(std::string(name));
}

}  // namespace

TEST_CASE("Settings are shown in seconds, what is left to the kernel as Linux has it") {
  Readings readings =
      answered(pooler_config_reading(), config_rows({{"query_wait_timeout", "120"},
                                                     {"tcp_keepidle", "0"},
                                                     {"tcp_keepintvl", "7"},
                                                     {"tcp_keepcnt", "0"},
                                                     {"tcp_user_timeout", "1500"},
                                                     {"max_client_conn", "100"},
                                                     {"auth_query", "SELECT secret"},
                                                     {"default_pool_size", "plenty"}}));
  const Collected collected = collect(pooler_settings_collector(), readings);
  CHECK(collected.at("pgconn_pgbouncer_setting_seconds{query_wait_timeout}") == 120);
  CHECK(collected.at("pgconn_pgbouncer_setting_seconds{tcp_keepidle}") == 7200);
  CHECK(collected.at("pgconn_pgbouncer_setting_seconds{tcp_keepintvl}") == 7);
  CHECK(collected.at("pgconn_pgbouncer_setting_seconds{tcp_user_timeout}") == 1.5);
  CHECK(collected.at("pgconn_pgbouncer_setting_value{tcp_keepcnt}") == 9);
  CHECK(collected.at("pgconn_pgbouncer_setting_value{max_client_conn}") == 100);
  CHECK(collected.count("pgconn_pgbouncer_setting_seconds") == 4);
  CHECK(collected.count("pgconn_pgbouncer_setting_value") == 2);
}

TEST_CASE("Sound settings have no findings") { CHECK(found({}).empty()); }

TEST_CASE("What is not known of a PgBouncer is no finding") {
  CHECK(evaluate_pooler({12601, read_pooler_config(config_rows({})), 60s, std::nullopt}).empty());
}

TEST_CASE("An idle server connection must end, or be kept awake, before the path forgets it") {
  constexpr auto kName = "pgbouncer_server_idle_timeout_above_path";
  const Settings late = {{"tcp_keepidle", "0"}};
  CHECK_FALSE(finds(kName, late));  // no limit is known
  CHECK(finds(kName, late, {.path = 600s}));
  CHECK_FALSE(finds(kName, late, {.path = 601s}));
  CHECK_FALSE(finds(kName, {}, {.path = 61s}));
  CHECK(finds(kName, {}, {.path = 60s}));
  CHECK(finds(kName, {{"tcp_keepidle", "0"}, {"server_idle_timeout", "0"}}, {.path = 1h}));
  const auto fixes = found(late, {.path = 350s});
  CHECK(fixes.at(kName) ==
        "server_idle_timeout = 175; tcp_keepalive = 1; tcp_keepidle = 60; tcp_keepintvl = 10; "
        "tcp_keepcnt = 6");
}

TEST_CASE("A transaction needs a bound: its idle time, or all of it") {
  constexpr auto kName = "pgbouncer_idle_transaction_timeout_disabled";
  CHECK(finds(kName, {{"idle_transaction_timeout", "0"}}));
  CHECK(finds(kName, {{"idle_transaction_timeout", "0"}, {"transaction_timeout", "0"}}));
  CHECK_FALSE(finds(kName, {{"idle_transaction_timeout", "0"}, {"transaction_timeout", "300"}}));
}

TEST_CASE("Timeouts of the queue and the life of connections are judged") {
  CHECK(finds("pgbouncer_query_wait_timeout_disabled", {{"query_wait_timeout", "0"}}));
  CHECK(finds("pgbouncer_server_lifetime_short", {{"server_lifetime", "0"}}));
  CHECK(finds("pgbouncer_server_lifetime_short", {{"server_lifetime", "59"}}));
  CHECK_FALSE(finds("pgbouncer_server_lifetime_short", {{"server_lifetime", "60"}}));
}

TEST_CASE("Keepalives, TLS to a server elsewhere, and a shared port are judged") {
  CHECK(finds("pgbouncer_keepalive_off", {{"tcp_keepalive", "0"}}));
  constexpr auto kTls = "pgbouncer_server_tls_weak";
  CHECK(finds(kTls, {{"server_tls_sslmode", "prefer"}}));
  CHECK_FALSE(finds(kTls, {{"server_tls_sslmode", "require"}}));
  CHECK_FALSE(finds(kTls, {{"server_tls_sslmode", "disable"}}, {.remote = false}));
  CHECK_FALSE(finds(kTls, {{"server_tls_sslmode", "disable"}}, {.remote = std::nullopt}));
  constexpr auto kPeers = "pgbouncer_reuseport_without_peers";
  CHECK(finds(kPeers, {{"so_reuseport", "1"}}));
  CHECK_FALSE(finds(kPeers, {{"so_reuseport", "1"}, {"peer_id", "2"}}));
}

TEST_CASE("A release is told by the holes that later ones fixed") {
  constexpr auto kName = "pgbouncer_known_holes";
  CHECK_FALSE(finds(kName, {}, {.version = 12601}));
  CHECK_FALSE(finds(kName, {}, {.version = 12502}));
  CHECK(found({}, {.version = 12501}).at(kName) ==
        "; upgrade to 1.25.2 or newer: CVE-2026-6664, CVE-2026-6665, CVE-2026-6666, CVE-2026-6667");
  CHECK(found({}, {.version = 11800}).at(kName).find("CVE-2025-2291") != std::string::npos);
}

TEST_CASE("A server is elsewhere unless its host is a socket or this machine") {
  const auto weak = [](const std::string& host) {
    Readings readings =
        answered(pooler_config_reading(), config_rows(sound({{"server_tls_sslmode", "prefer"}})));
    readings.put(pooler_databases_reading(), Rows({"name", "host"}, {"pgbouncer", kNull,  //
                                                                     "shop", host}));
    return collect(pooler_settings_collector(), readings, {}, 12601)
        .has("pgconn_finding{pgbouncer_server_tls_weak,warning,pgbouncer}");
  };
  CHECK(weak("db.internal"));
  CHECK(weak("10.0.0.1"));
  CHECK(weak("127.0.0.1,db.internal"));
  CHECK_FALSE(weak(""));
  CHECK_FALSE(weak("127.0.0.1"));
  CHECK_FALSE(weak("localhost,::1"));
  CHECK_FALSE(weak("/run/postgresql"));
}
