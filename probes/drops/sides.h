// Which side of a pooler fell. Values and pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace pgconn::probes {

enum class Cause;

// What the connections of another target did at the time of an incident.
enum class Beside {
  kUnknown,
  kAnswered,  // held before it, and have answered since
  kFell,      // were lost at that time too
};

// A pooler and the server behind it, each watched as a target of its own.
struct PoolerSides {
  std::string pooler, server;  // names of targets; empty: there is none
  Beside pooler_did = Beside::kUnknown;
  Beside server_did = Beside::kUnknown;
};

enum class Side {
  kUnknown,
  kPooler,  // the pooler, or the way to it
  kServer,  // the server behind it, or the way from the pooler to it
};

std::string_view to_string(Side side);  // "pooler", "server"; empty if unknown

// Of an incident with that cause.
Side side_that_fell(const PoolerSides& sides, Cause cause);

// What the other targets did, in words for the log.
std::string describe(const PoolerSides& sides, Side side);

}  // namespace pgconn::probes
