#include <algorithm>

#include "collectors/postgres/facts.h"

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

TEST_CASE("Which server it is comes from the server itself") {
  Readings readings = readings_with(checkpointer_started(kStart));
  CHECK(facts(readings, {})->address == "10.0.0.1 5432");
  CHECK(facts(readings, {})->system_identifier.empty());
  readings.put(identity_reading(),
               pgconn::postgres::Rows({"system_identifier", "timeline"}, {"7123", "3"}));
  CHECK(facts(readings, {})->system_identifier == "7123");
  CHECK(facts(readings, {})->timeline == "3");
}

TEST_CASE("A server that does not tell its identity is one all the same") {
  Readings readings = readings_with(checkpointer_started(kStart));
  readings.put(identity_reading(), pgconn::postgres::Rows());
  CHECK(facts(readings, {})->system_identifier.empty());
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
