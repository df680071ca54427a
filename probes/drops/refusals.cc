#include "probes/drops/refusals.h"

#include <algorithm>
#include <string_view>

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Reason;

bool keeps_out(const PgError& error) {
  return error.reason() == Reason::kRefused || error.reason() == Reason::kStarting;
}

bool was_reset(const Drop& drop) {
  return drop.error.sqlstate().empty() && drop.error.reason() == Reason::kReset;
}

}  // namespace

bool is_refusal_of_living(const PgError& error) {
  switch (error.reason()) {
    case Reason::kTlsUnsupported:
    case Reason::kPasswordMissing:
    case Reason::kAuthentication:
    case Reason::kRoleMissing:
    case Reason::kPermission:
    case Reason::kDatabase:
    case Reason::kTooManyConnections:
      return true;
    default:
      return false;
  }
}

void add_refusals(const std::vector<postgres::EndpointError>& turned_away,
                  const std::optional<PgError>& failure, const std::vector<Drop>& drops,
                  std::vector<PgError>& told) {
  for (const auto& [endpoint, error] : turned_away) {
    const bool ours = std::any_of(drops.begin(), drops.end(), [&name = endpoint](const Drop& drop) {
      return drop.endpoint == name;
    });
    // The last endpoint's error may be the failure itself.
    const bool known = failure && std::string_view(failure->what()) == error.what();
    if (ours && keeps_out(error) && !known) told.push_back(error);
  }
  if (failure) told.push_back(*failure);
}

std::chrono::seconds patience_after(const std::vector<Drop>& drops) {
  const bool may_heal = std::all_of(drops.begin(), drops.end(), was_reset);
  return may_heal ? kPatience : kSoon;
}

}  // namespace pgconn::probes
