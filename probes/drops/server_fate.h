// What became of the postmaster that served a lost connection, read off start times and off what
// new sessions were told. Internal to attribution. Pure; any thread.
#pragma once

#include <string_view>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

enum class ServerFate {
  kUnknown,
  kContradictory,  // the signs exclude each other
  kUntouched,      // same start time, and no crash restart since
  kSameStart,      // same start time; whether it had a crash restart is not known
  kWalledOff,      // same start time, yet new connections were refused: by somebody in between
  kReset,          // same postmaster, which re-initialized after a crash
  kRestarted,      // a postmaster that was started since the connection's last answer
  kStopping,       // it told a new session that it shuts down, or a new one that it starts up
  kRefusing,       // nobody listens
  kNotAccepting,   // 57P03 in words that say no more (they may be in any language)
  kElsewhere,      // another server answers at this address
};

ServerFate fate_of_server(const Evidence& evidence, const Drop& drop);

std::string_view describe(ServerFate fate);  // for a person, after "; "

}  // namespace pgconn::probes
