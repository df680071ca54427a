// Whether a path ends connections because they are silent, or because they are old: most such drops
// look the same, since a connection that was silent for long is also old. Internal to attribution,
// and for the investigation that waits until it can be decided. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

// How long no packet passed: keepalives from either end break the silence.
Clock::duration silence_on_path(const Evidence& evidence, Clock::duration silent_for,
                                std::optional<Clock::duration> keepalive_gap);

// Its path was silent for longer than that of any connection that has answered since. A roundtrip
// is never silent.
bool more_silent_than_survivors(const Evidence& evidence, const Drop& drop);

// A connection that answers is older than the dropped one was, by at least a tenth and a second: a
// path that ends connections at an age would have ended it earlier.
bool older_one_answers(const Evidence& evidence, const Drop& drop);

// If the path ended it, silence was the reason: it was silent for longer than those that answer,
// age is ruled out, and no equal silence was survived recently.
bool may_be_its_silence(const Evidence& evidence, const Drop& drop);

// Only silent connections dropped, age is not ruled out, and by `until` one that answers will be as
// old: then it either drops too or outlives them.
bool is_told_by_age(const Evidence& evidence, Clock::time_point until);

// When that can first be decided: each drop of the incident then has a survivor that is old enough,
// if that answers. Only where is_told_by_age().
Clock::time_point when_told_by_age(const Evidence& evidence);

// For a verdict: why the connections that still answer do not prove that it was silence.
std::string_view what_survivors_leave_open(const Evidence& evidence, const Drop& drop);

// The silences of this incident that count as `fell_before` in later ones: those of drops that look
// like silence, except that an equal one was survived recently.
std::vector<Clock::duration> doubtful_silences(const Evidence& evidence);

}  // namespace pgconn::probes
