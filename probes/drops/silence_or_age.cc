#include "probes/drops/silence_or_age.h"

#include <algorithm>

#include "probes/drops/attribution_rules.h"

namespace pgconn::probes {
namespace {

// Ages and silences this close are the same: timers of middleboxes are coarse.
constexpr Clock::duration tolerance_of(Clock::duration span) { return span / 10; }

// An upper bound: our login takes a while, and the path counts from its beginning.
Clock::duration age_of(const Drop& drop) { return drop.at - drop.dialed; }

Clock::duration old_enough(const Drop& drop) {
  const Clock::duration age = age_of(drop);
  return age + std::max<Clock::duration>(tolerance_of(age), std::chrono::seconds(1));
}

// Not long ago a connection survived an equal silence. But a limit may be lowered: two drops after
// similar silences, with none survived since, are new evidence.
bool one_as_silent_survived_lately(const Evidence& evidence, const Drop& drop) {
  if (!evidence.survived_silence) return false;
  const auto survived = silence_on_path(evidence, *evidence.survived_silence, std::nullopt);
  const auto silence = silence_on_path(evidence, drop.silent_for, drop.keepalive_gap);
  return silence < survived - tolerance_of(survived);
}

bool fell_before_as_silent(const Evidence& evidence, const Drop& drop) {
  const auto& before = evidence.fell_before;
  return std::any_of(before.begin(), before.end(), [&](Clock::duration silence) {
    return silence <= 2 * drop.silent_for && drop.silent_for <= 2 * silence;
  });
}

bool all_wordless(const Evidence& evidence) {
  return std::all_of(evidence.drops.begin(), evidence.drops.end(),
                     [](const Drop& drop) { return drop.error.sqlstate().empty(); });
}

}  // namespace

Clock::duration silence_on_path(const Evidence& evidence, Clock::duration silent_for,
                                std::optional<Clock::duration> keepalive_gap) {
  Clock::duration silence = silent_for;
  if (keepalive_gap) silence = std::min(silence, *keepalive_gap);
  if (evidence.server_keepalive_gap) silence = std::min(silence, *evidence.server_keepalive_gap);
  return silence;
}

bool more_silent_than_survivors(const Evidence& evidence, const Drop& drop) {
  const auto silence = silence_on_path(evidence, drop.silent_for, drop.keepalive_gap);
  return drop.probe != ProbeKind::kRoundtrip &&
         std::all_of(
             evidence.survivors.begin(), evidence.survivors.end(), [&](const Survivor& survivor) {
               return silence >
                      silence_on_path(evidence, survivor.silent_for, survivor.keepalive_gap);
             });
}

bool older_one_answers(const Evidence& evidence, const Drop& drop) {
  return std::any_of(evidence.survivors.begin(), evidence.survivors.end(),
                     [&](const Survivor& survivor) {
                       return survivor.answered - survivor.opened >= old_enough(drop);
                     });
}

bool may_be_its_silence(const Evidence& evidence, const Drop& drop) {
  return more_silent_than_survivors(evidence, drop) && older_one_answers(evidence, drop) &&
         (!one_as_silent_survived_lately(evidence, drop) || fell_before_as_silent(evidence, drop));
}

bool is_told_by_age(const Evidence& evidence, Clock::time_point until) {
  if (evidence.survivors.empty() || !all_wordless(evidence)) return false;
  bool open = false;
  for (const Drop& drop : evidence.drops) {
    if (!more_silent_than_survivors(evidence, drop)) return false;
    if (older_one_answers(evidence, drop)) continue;
    const bool in_time = std::any_of(
        evidence.survivors.begin(), evidence.survivors.end(),
        [&](const Survivor& survivor) { return survivor.opened + age_of(drop) <= until; });
    if (!in_time) return false;
    open = true;
  }
  return open;
}

Clock::time_point when_told_by_age(const Evidence& evidence) {
  Clock::time_point when = Clock::time_point::min();
  for (const Drop& drop : evidence.drops) {
    if (older_one_answers(evidence, drop)) continue;
    Clock::time_point soonest = Clock::time_point::max();
    for (const Survivor& survivor : evidence.survivors) {
      soonest = std::min(soonest, survivor.opened + old_enough(drop));
    }
    when = std::max(when, soonest);
  }
  return when;
}

std::string_view what_survivors_leave_open(const Evidence& evidence, const Drop& drop) {
  if (evidence.survivors.empty()) return "no other has proved alive";
  if (!more_silent_than_survivors(evidence, drop)) return "others answer";
  if (!older_one_answers(evidence, drop)) {
    return "others answer, but none that is older, so it may have been its silence or its age";
  }
  if (one_as_silent_survived_lately(evidence, drop)) {
    return "others answer, but a longer silence was survived lately";
  }
  return "others answer";
}

std::vector<Clock::duration> doubtful_silences(const Evidence& evidence) {
  std::vector<Clock::duration> silences;
  if (evidence.survivors.empty() || !all_wordless(evidence)) return silences;
  for (const Drop& drop : evidence.drops) {
    const bool of_silence =
        more_silent_than_survivors(evidence, drop) && older_one_answers(evidence, drop);
    if (!of_silence) return {};
    if (one_as_silent_survived_lately(evidence, drop)) silences.push_back(drop.silent_for);
  }
  return silences;
}

}  // namespace pgconn::probes
