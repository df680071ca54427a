#include "collectors/server_facts.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

constexpr double kStart = 1700000000;

Readings readings_with(const Group& checkpointer, bool sees_all = true) {
  Readings readings;
  readings.put(server_reading(), server(kStart, sees_all));
  readings.put(activity_reading({}), activity({checkpointer}));
  return readings;
}

Group checkpointer_started(double time) {
  return {.database = kNull,
          .role = kNull,
          .backend_type = "checkpointer",
          .session_start = std::to_string(time)};
}

ServerFacts started(double time, std::optional<double> crash_restart_time) {
  ServerFacts facts;
  facts.start_time = time;
  facts.crash_restart_time = crash_restart_time;
  return facts;
}

}  // namespace

TEST_CASE("A checkpointer as old as the postmaster means there was no crash") {
  const auto collected =
      collect(server_collector(), readings_with(checkpointer_started(kStart + 1)));
  CHECK(collected.at("pgconn_server_crash_restart_time_seconds{}") == 0);
  CHECK(collected.at("pgconn_server_start_time_seconds{}") == kStart);
}

TEST_CASE("A younger checkpointer tells when the server restarted after a crash") {
  const auto collected =
      collect(server_collector(), readings_with(checkpointer_started(kStart + 500)));
  CHECK(collected.at("pgconn_server_crash_restart_time_seconds{}") == kStart + 500);
}

TEST_CASE("Where the checkpointer cannot be seen nothing is said about crashes") {
  const Group hidden{.database = kNull, .role = kNull, .state = kNull};
  const auto collected = collect(server_collector(), readings_with(hidden, false));
  CHECK_FALSE(collected.has("pgconn_server_crash_restart_time_seconds{}"));
  CHECK(collected.at("pgconn_visibility{sessions}") == 0);
  CHECK(collected.at("pgconn_visibility{settings}") == 0);
  CHECK(collected.at("pgconn_visibility{logs}") == 0);
}

TEST_CASE("The server's version comes without the distribution's") {
  CHECK(facts(readings_with(checkpointer_started(kStart)), {})->version == "15.18");
}

TEST_CASE("Without its reading there are no facts, and the collector says why") {
  Readings readings;
  CHECK_FALSE(facts(readings, {}));
  CHECK_THROWS_AS(collect(server_collector(), readings), pgconn::postgres::PgError);
}

TEST_CASE("A new postmaster is a clean restart, a new crash time a crash") {
  const ServerFacts before = started(100, 0);
  CHECK(restart_between(before, before) == Restart::kNone);
  CHECK(restart_between(before, started(200, 0)) == Restart::kClean);
  const ServerFacts crash = started(100, 150);
  CHECK(restart_between(before, crash) == Restart::kCrash);
  CHECK(restart_between(crash, crash) == Restart::kNone);
  const ServerFacts blind = started(100, std::nullopt);
  CHECK(restart_between(before, blind) == Restart::kNone);
  CHECK(restart_between(blind, crash) == Restart::kNone);
}

TEST_CASE("An older postmaster is another server, whose crash of before is none that was seen") {
  const ServerFacts before = started(200, 0);
  CHECK(restart_between(before, started(100, 0)) == Restart::kNone);
  CHECK(restart_between(before, started(100, 150)) == Restart::kNone);
}

TEST_CASE("Before 15 a checkpointer that started late proves no crash") {
  const auto late = readings_with(checkpointer_started(kStart + 500));
  const auto punctual = readings_with(checkpointer_started(kStart + 1));
  const std::string time = "pgconn_server_crash_restart_time_seconds{}";
  CHECK_FALSE(collect(server_collector(), late, {}, 140000).has(time));
  CHECK(collect(server_collector(), punctual, {}, 140000).at(time) == 0);
}

TEST_CASE("A session from before the configuration's last load does not tell when that was") {
  const auto load_time_told = [&](bool outdated) {
    const Options options;
    const auto batch =
        server_collector()
            .collect(readings_with(checkpointer_started(kStart)), {.server_version = 150000,
                                                                   .visibility = {},
                                                                   .options = options,
                                                                   .outdated_session = outdated})
            .batch;
    return std::ranges::any_of(batch.families(), [](const auto& family) {
      return family.descriptor->name == "pgconn_server_config_load_time_seconds";
    });
  };
  CHECK(load_time_told(false));
  CHECK_FALSE(load_time_told(true));
}
