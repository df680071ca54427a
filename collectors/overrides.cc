#include "collectors/overrides.h"

#include "collectors/server_settings.h"
#include "collectors/setting_units.h"

namespace pgconn::collectors {
namespace {

std::optional<double> read_value(std::string_view setting, std::string_view value) {
  for (const TimeSetting& known : time_settings()) {
    if (known.name == setting) return parse_time(value, known.unit);
  }
  return std::nullopt;
}

}  // namespace

Overrides::Overrides(const postgres::Rows& rows) {
  const std::size_t setting = rows.column("setting");
  const std::size_t value = rows.column("value");
  const std::size_t database = rows.column("database");
  const std::size_t role = rows.column("role");
  const std::size_t applies = rows.column("applies");
  const std::size_t login_roles = rows.column("login_roles");
  const std::size_t databases = rows.column("databases");
  const auto text = [&](std::size_t row, std::size_t column) {
    return std::string(postgres::text_or(rows.at(row, column), ""));
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    overrides_.push_back({.setting = text(row, setting),
                          .database = text(row, database),
                          .role = text(row, role),
                          .seconds = read_value(text(row, setting), text(row, value)),
                          .applies = postgres::boolean(rows.at(row, applies)).value_or(true)});
    login_roles_ = postgres::integer(rows.at(row, login_roles)).value();
    databases_ = postgres::integer(rows.at(row, databases)).value();
  }
}

const Override* Overrides::find(std::string_view setting, std::string_view database,
                                std::string_view role) const {
  for (const Override& candidate : overrides_) {
    if (candidate.setting == setting && candidate.database == database && candidate.role == role) {
      return &candidate;
    }
  }
  return nullptr;
}

std::optional<double> Overrides::effective(std::string_view setting, std::string_view database,
                                           std::string_view role,
                                           std::optional<double> server) const {
  const Override* found = find(setting, database, role);
  if (found == nullptr) found = find(setting, "", role);
  if (found == nullptr) found = find(setting, database, "");
  if (found == nullptr) found = find(setting, "", "");
  return found == nullptr ? server : found->seconds;
}

bool Overrides::server_value_applies(std::string_view setting) const {
  if (find(setting, "", "") != nullptr) return false;
  std::int64_t roles = login_roles_;
  std::int64_t databases = databases_;
  std::int64_t pairs = 0;
  for (const Override& candidate : overrides_) {
    if (candidate.setting != setting || !candidate.applies) continue;
    if (candidate.database.empty()) {
      --roles;
    } else if (candidate.role.empty()) {
      --databases;
    } else if (find(setting, "", candidate.role) == nullptr &&
               find(setting, candidate.database, "") == nullptr) {
      ++pairs;
    }
  }
  return roles * databases > pairs;
}

bool Overrides::any_enables(std::string_view setting) const {
  for (const Override& candidate : overrides_) {
    if (candidate.setting == setting && candidate.applies && candidate.seconds != 0) return true;
  }
  return false;
}

}  // namespace pgconn::collectors
