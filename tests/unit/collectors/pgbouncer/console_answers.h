// Answers of PgBouncer's console as 1.18 and 1.26 give them, for the tests of this folder.
#pragma once

#include <string>
#include <vector>

#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/readings.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

namespace pgconn::collectors {

using Columns = std::vector<std::string>;
using Cells = std::vector<postgres::Cell>;

// SHOW POOLS of 1.18; later versions have more columns.
inline Columns pool_columns() {
  return {"database",
          "user",
          "cl_active",
          "cl_waiting",
          "cl_active_cancel_req",
          "cl_waiting_cancel_req",
          "sv_active",
          "sv_active_cancel",
          "sv_being_canceled",
          "sv_idle",
          "sv_used",
          "sv_tested",
          "sv_login",
          "maxwait",
          "maxwait_us",
          "pool_mode"};
}

// The console's own pool, and one with a queue whose first client has waited 3.25 s.
inline Cells pool_cells() {
  return {"pgbouncer", "pgbouncer", "2", "0",  "0",  "0", "0",      "0",
          "0",         "0",         "0", "0",  "0",  "0", "0",      "statement",
          "shop",      "app",       "5", "4",  "1",  "2", "3",      "6",
          "7",         "8",         "9", "10", "11", "3", "250000", "transaction"};
}

inline postgres::Rows config_rows(const std::vector<std::pair<std::string, std::string>>& values) {
  Cells cells;
  for (const auto& [name, value] : values) {
    cells.emplace_back(name);
    cells.emplace_back(value);
    cells.emplace_back("");
    cells.emplace_back("yes");
  }
  return postgres::Rows({"key", "value", "default", "changeable"}, std::move(cells));
}

inline Readings answered(const Reading& reading, postgres::Rows rows) {
  Readings readings;
  readings.put(reading, std::move(rows));
  return readings;
}

// What is told about columns that are not known.
inline std::optional<std::string> strange(const Collector& collector, const Readings& readings) {
  return collector.collect(readings, {12601, {}, Options{}}).strange;
}

}  // namespace pgconn::collectors
