// What happened to the postmaster that served a lost connection, judged by start times and by the
// answers that new sessions got. Internal to attribution. Pure; any thread.
#pragma once

#include <string_view>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

enum class ServerFate {
  kUnknown,
  kContradictory,  // the signs exclude each other
  kUntouched,      // same start time, and no crash restart since
  kSameStart,      // same start time; whether it had a crash restart is not known
  kWalledOff,      // same start time, but something in between refused new connections
  kReset,          // same postmaster, which re-initialized after a crash
  kRestarted,      // a postmaster that was started since the connection's last answer
  kStopping,       // it told a new session that it is shutting down or starting up
  kRefusing,       // nobody listens
  kNotAccepting,   // 57P03 with a text that says no more (in any language)
  kElsewhere,      // another server answers at this address
};

ServerFate fate_of_server(const Evidence& evidence, const Drop& drop);

std::string_view describe(ServerFate fate);  // for people, after "; "

}  // namespace pgconn::probes
