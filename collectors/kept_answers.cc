#include "collectors/kept_answers.h"

#include <variant>

namespace pgconn::collectors {

std::vector<const Reading*> KeptAnswers::to_ask(std::span<const Reading* const> readings,
                                                const ServerFacts& facts) {
  if (facts.config_load_time != config_load_time_) answers_.clear();
  config_load_time_ = facts.config_load_time;
  std::vector<const Reading*> missing;
  for (const Reading* reading : readings) {
    if (reading->refresh == Refresh::kEachConfiguration && facts.visibility.has(reading->need) &&
        !answers_.contains(reading)) {
      missing.push_back(reading);
    }
  }
  return missing;
}

void KeptAnswers::keep(const Reading& reading, const postgres::Answer& answer) {
  if (reading.refresh != Refresh::kEachConfiguration) return;
  if (const auto* rows = std::get_if<postgres::Rows>(&answer)) {
    answers_.insert_or_assign(&reading, *rows);
  } else if (reading.once) {
    answers_.insert_or_assign(&reading, postgres::Rows());
  }
}

void KeptAnswers::add_to(std::span<const Reading* const> wanted, Readings& readings) const {
  for (const Reading* reading : wanted) {
    const auto kept = answers_.find(reading);
    if (kept != answers_.end()) readings.put(*reading, kept->second);
  }
}

}  // namespace pgconn::collectors
