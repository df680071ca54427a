#include "collectors/postgres/setting_rows.h"

#include <algorithm>
#include <utility>

#include "collectors/postgres/setting_units.h"

namespace pgconn::collectors {
namespace {

std::optional<double> read_value(std::string_view setting, std::string_view value) {
  for (const TimeSetting& known : time_settings()) {
    if (known.name != setting) continue;
    const std::optional<double> seconds = parse_time(value, known.unit);
    return seconds && *seconds >= 0 ? seconds : std::nullopt;  // -1: no limit
  }
  return std::nullopt;
}

}  // namespace

ServerSettings read_settings(const postgres::Rows& rows) {
  const std::size_t name = rows.column("name");
  const std::size_t value = rows.column("reset_val");
  const std::size_t unit = rows.column("unit");
  const std::size_t pending = rows.column("pending_restart");
  const std::size_t masked = rows.column("masked");
  SettingValues values;
  std::vector<std::string> pending_restart;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string setting(postgres::text_or(rows.at(row, name), ""));
    if (postgres::boolean(rows.at(row, pending)).value_or(false)) {
      pending_restart.push_back(setting);
    }
    if (!rows.at(row, value) || postgres::boolean(rows.at(row, masked)).value_or(true)) continue;
    values[setting] = {*rows.at(row, value),
                       std::string(postgres::text_or(rows.at(row, unit), ""))};
  }
  return ServerSettings(std::move(values), std::move(pending_restart));
}

Overrides read_overrides(const postgres::Rows& rows) {
  const std::size_t setting = rows.column("setting");
  const std::size_t value = rows.column("value");
  const std::size_t database = rows.column("database");
  const std::size_t role = rows.column("role");
  const std::size_t applies = rows.column("applies");
  const auto text = [&](std::size_t row, std::size_t column) {
    return std::string(postgres::text_or(rows.at(row, column), ""));
  };
  std::vector<Override> overrides;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    overrides.push_back({.setting = text(row, setting),
                         .database = text(row, database),
                         .role = text(row, role),
                         .seconds = read_value(text(row, setting), text(row, value)),
                         .applies = postgres::boolean(rows.at(row, applies)).value_or(true)});
  }
  if (overrides.empty()) return {};
  return {std::move(overrides), postgres::integer(rows.at(0, rows.column("login_roles"))).value(),
          postgres::integer(rows.at(0, rows.column("databases"))).value()};
}

}  // namespace pgconn::collectors
