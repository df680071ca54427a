#include "probes/survived_silences.h"

#include <algorithm>

namespace pgconn::probes {

void SurvivedSilences::add(Clock::time_point at, Clock::duration lasted) {
  while (!kept_.empty() && kept_.back().lasted <= lasted) kept_.pop_back();
  kept_.push_back({at, lasted});
  if (kept_.size() > kKept) kept_.pop_front();
}

std::optional<SurvivedSilences::Clock::duration> SurvivedSilences::longest_since(
    Clock::time_point moment) const {
  const auto first = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Silence& silence) { return silence.at >= moment; });
  return first == kept_.end() ? std::nullopt : std::optional(first->lasted);
}

}  // namespace pgconn::probes
