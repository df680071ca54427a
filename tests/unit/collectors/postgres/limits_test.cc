#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

Readings readings_with(const std::vector<Setting>& values, const std::vector<Group>& groups,
                       std::vector<pgconn::postgres::Cell> limits = {}) {
  Readings readings;
  readings.put(settings_reading(), settings(values));
  readings.put(activity_reading({}), activity(groups));
  readings.put(limits_reading(),
               pgconn::postgres::Rows({"kind", "name", "connection_limit"}, std::move(limits)));
  return readings;
}

const std::vector<Setting> kSlots15{{"max_connections", "100"},
                                    {"superuser_reserved_connections", "3"}};
const std::vector<Setting> kSlots16{{"max_connections", "100"},
                                    {"superuser_reserved_connections", "3"},
                                    {"reserved_connections", "5"}};

}  // namespace

TEST_CASE("Before 16 there are no slots reserved for roles") {
  const auto collected = collect(limits_collector(), readings_with(kSlots15, {}), {}, 150018);
  CHECK(collected.at("pgconn_connection_slots{max}") == 100);
  CHECK(collected.at("pgconn_connection_slots{superuser_reserved}") == 3);
  CHECK(collected.at("pgconn_connection_slots{usable}") == 97);
  CHECK_FALSE(collected.has("pgconn_connection_slots{reserved}"));
}

TEST_CASE("From 16 on slots reserved for roles are not usable by any") {
  const auto collected = collect(limits_collector(), readings_with(kSlots16, {}), {}, 160000);
  CHECK(collected.at("pgconn_connection_slots{reserved}") == 5);
  CHECK(collected.at("pgconn_connection_slots{usable}") == 92);
  const auto unknown = collect(limits_collector(), readings_with(kSlots15, {}), {}, 160000);
  CHECK_FALSE(unknown.has("pgconn_connection_slots{usable}"));
}

TEST_CASE("Our own sessions take slots too, other backends do not") {
  const auto collected =
      collect(limits_collector(),
              readings_with(kSlots15,
                            {{.sessions = 4},
                             {.application = "pgconn_exporter/collect"},
                             {.database = kNull, .role = kNull, .state = "starting"},
                             {.database = kNull, .role = kNull, .backend_type = "checkpointer"}}));
  CHECK(collected.at("pgconn_connection_slots_used{}") == 6);
  CHECK(collected.at("pgconn_database_connections{shop}") == 5);
  CHECK(collected.at("pgconn_role_connections{app}") == 5);
}

TEST_CASE("A bare role learns connections of databases and roles, not the slots used") {
  const Group hidden{.state = kNull, .sessions = 4};
  const Group hidden_background{
      .database = kNull, .role = kNull, .application = "", .state = kNull};
  const auto collected =
      collect(limits_collector(), readings_with(kSlots15, {hidden, hidden_background}), {}, 150000,
              Visibility{});
  CHECK_FALSE(collected.has("pgconn_connection_slots_used{}"));
  CHECK(collected.at("pgconn_database_connections{shop}") == 4);
  CHECK(collected.count("pgconn_database_connections") == 1);
  CHECK(collected.count("pgconn_role_connections") == 1);
}

TEST_CASE("Limits are told where one is set, with the connections beside it") {
  const auto collected = collect(
      limits_collector(),
      readings_with(kSlots15, {{.sessions = 2}},
                    {"database", "stock", "10", "role", "app", "5", "role", "closed", "0"}));
  CHECK(collected.at("pgconn_database_connection_limit{stock}") == 10);
  CHECK(collected.at("pgconn_database_connections{stock}") == 0);
  CHECK(collected.at("pgconn_role_connection_limit{app}") == 5);
  CHECK(collected.at("pgconn_role_connections{app}") == 2);
  CHECK(collected.at("pgconn_role_connection_limit{closed}") == 0);
  CHECK(collected.count("pgconn_database_connection_limit") == 1);
}
