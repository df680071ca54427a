#include "collectors/postgres/overrides.h"

namespace pgconn::collectors {
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
