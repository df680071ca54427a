// Whether a path ends connections because they are silent, or because they are old: most of its
// drops look the same, since who is silent for long is old by then. Internal to attribution, and
// for who waits until it can be told. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

// How long no packet of it passed: keepalives of either end break the silence.
Clock::duration silence_on_path(const Evidence& evidence, Clock::duration silent_for,
                                std::optional<Clock::duration> keepalive_gap);

// Its path was silent for longer than that of each connection that answered since. A roundtrip is
// never silent.
bool more_silent_than_survivors(const Evidence& evidence, const Drop& drop);

// One that answers is older than the drop was, by a tenth and a second at least: a path that ends
// connections at an age would have ended it before.
bool older_one_answers(const Evidence& evidence, const Drop& drop);

// Its silence ended it, if the path did: it was more silent than those that answer, its age is out
// of the question, and none that was as silent has survived lately.
bool may_be_its_silence(const Evidence& evidence, const Drop& drop);

// Only the silent fell, whose age is still in question, and by `until` one that answers will be as
// old: then it falls too, or outlives them.
bool is_told_by_age(const Evidence& evidence, Clock::time_point until);

// What a verdict says of the others that answer: what keeps them from telling that it was silence.
std::string_view what_survivors_leave_open(const Evidence& evidence, const Drop& drop);

// The silences of this incident that count as `fell_before` in those to come: of drops that only a
// longer silence that was survived speaks for.
std::vector<Clock::duration> doubtful_silences(const Evidence& evidence);

}  // namespace pgconn::probes
