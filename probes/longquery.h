// The longquery probe: a connection of its own that is busy and silent for long, like that of a
// report or a backup, to learn whether the server and the path let it finish.
#pragma once

#include <chrono>
#include <string>

#include "probes/clockwork.h"

namespace pgconn::probes {

struct LongquerySettings {
  Pace pace{false, std::chrono::minutes(15), std::chrono::seconds(5)};  // timeout: beside `sleep`
  std::chrono::milliseconds sleep{std::chrono::minutes(10)};
};

// A statement that takes that long, sends nothing meanwhile, and keeps no transaction or snapshot
// for more than a second, so that it does not hold back vacuum. Pure.
std::string silent_statement(std::chrono::milliseconds duration);

// Runs such a statement once, for as long as it takes. A connection that is lost meanwhile is a
// drop, one that only gets an error is not.
asio::awaitable<std::vector<PhaseTime>> attempt_longquery(ProbeContext& context,
                                                          LongquerySettings settings);

}  // namespace pgconn::probes
