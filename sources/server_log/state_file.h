// The small file that keeps a reader's place across restarts, and what it had counted up to there.
//
// Why the counts too: a program that is killed has counted entries that Prometheus has not seen
// yet, and shown others that it has. If only the place were kept, one of the two would be lost or
// counted twice, and a count that begins at 0 again and soon passes its old value looks as if it
// had never begun anew. Place and counts replace each other's predecessors in one rename, so they
// always fit together: whenever the program ends, the next one goes on from a moment that was.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sources/server_log/follower.h"

namespace pgconn::server_log {

// Counters by a key of log_metrics' own.
using Totals = std::map<std::string, double>;

struct State {
  std::string server;  // whose log it is, as the caller names servers; any text
  History history;
  Totals totals;
};

// As text (JSON), and back. decode() returns nothing for what encode() cannot have written.
std::string encode(const State& state);
std::optional<State> decode(std::string_view text);

struct StateRead {
  std::optional<State> state;
  std::string problem;  // empty: read, or there is none yet. Else what is wrong and what follows.
};

// Reads the state of `server` from a file of at most 4 MiB. Never throws for what the file holds.
StateRead read_state(const std::string& path, std::string_view server);

// Replaces the file: a new one beside it, flushed to the disk, then renamed. So whoever reads has
// one or the other, whole, also after the power failed. Returns an empty string, or what failed.
std::string write_state(const std::string& path, const State& state);

}  // namespace pgconn::server_log
