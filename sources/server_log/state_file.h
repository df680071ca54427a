// The small file that keeps a reader's place across restarts, and the counts up to there.
//
// Why the counts too: when the program is killed, Prometheus has seen some of the counted entries
// and not others. If only the place were kept, some would be lost or counted twice, and a counter
// that starts at 0 again and soon passes its old value hides that it was reset. Place and counts
// are replaced together in one rename, so they always match: whenever the program ends, the next
// one continues from a consistent moment.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sources/server_log/input.h"

namespace pgconn::server_log {

// Counters by keys that log_metrics chooses.
using Totals = std::map<std::string, double>;

struct State {
  std::string server;  // whose log it is, in the caller's naming; any text
  History history;
  Totals totals;
};

// As text (JSON), and back. decode() returns nothing for text that encode() cannot have written.
std::string encode(const State& state);
std::optional<State> decode(std::string_view text);

struct StateRead {
  std::optional<State> state;
  std::string problem;  // empty: read, or no file yet. Else what is wrong and its effect.
};

// Reads the state of `server` from a file of at most 4 MiB. Never throws because of its content.
StateRead read_state(const std::string& path, std::string_view server);

// Replaces the file: a new one beside it, flushed to the disk, then renamed. So a reader gets one
// or the other, whole, even after a power failure. Returns an empty string, or what failed.
std::string write_state(const std::string& path, const State& state);

}  // namespace pgconn::server_log
