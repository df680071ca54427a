#include "collectors/collector.h"

#include <variant>

namespace pgconn::collectors {

std::optional<std::string_view> Reading::for_version(int server_version) const {
  for (const VersionedSql& candidate : sql) {
    if (server_version >= candidate.min_version) return candidate.sql;
  }
  return std::nullopt;
}

const postgres::Rows& Readings::rows(const Reading& reading) const {
  const auto found = answers_.find(&reading);
  if (found == answers_.end()) {
    throw postgres::PgError(
        postgres::Phase::kQuery, postgres::Reason::kTimeout, "",
        "no answer to the reading \"" + std::string(reading.name) + "\" before the deadline",
        false);
  }
  if (const auto* error = std::get_if<postgres::PgError>(&found->second)) throw *error;
  return std::get<postgres::Rows>(found->second);
}

const postgres::Rows* Readings::find(const Reading& reading) const {
  const auto found = answers_.find(&reading);
  return found == answers_.end() ? nullptr : std::get_if<postgres::Rows>(&found->second);
}

bool Visibility::has(Need need) const {
  switch (need) {
    case Need::kNothing:
      return true;
    case Need::kSessions:
      return sessions;
    case Need::kHbaRules:
      return hba_rules;
    case Need::kIdentity:
      return identity;
  }
  return false;
}

}  // namespace pgconn::collectors
