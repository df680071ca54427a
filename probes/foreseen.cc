#include "probes/foreseen.h"

#include "probes/drops/attribution.h"
#include "probes/probe_metrics.h"

namespace pgconn::probes {
namespace {

using postgres::Phase;
using postgres::Reason;

struct Failure {
  Phase phase;
  Reason reason;
  const char* sqlstate;
};

constexpr Failure kFailures[] = {
    {Phase::kResolve, Reason::kResolve, ""},
    {Phase::kTcp, Reason::kRefused, ""},
    {Phase::kTcp, Reason::kTimeout, ""},
    {Phase::kTls, Reason::kTlsVerify, ""},
    {Phase::kStartup, Reason::kTimeout, ""},
    {Phase::kStartup, Reason::kAuthentication, "28P01"},
    {Phase::kStartup, Reason::kTooManyConnections, "53300"},
    {Phase::kStartup, Reason::kStarting, "57P03"},
    {Phase::kQuery, Reason::kTimeout, ""},
    {Phase::kQuery, Reason::kTerminated, "57P01"},
};

struct Loss {
  Cause cause;
  const char* sqlstate;
};

constexpr Loss kLosses[] = {
    {Cause::kAdminTerminate, "57P01"},
    {Cause::kServerShutdown, "57P01"},
    {Cause::kServerShutdown, ""},  // a query crossed its last message
    {Cause::kCrash, ""},
    {Cause::kCrash, "57P02"},
    {Cause::kIdleSessionTimeout, "57P05"},
    {Cause::kPathIdleTimeout, ""},
    {Cause::kNetworkReset, ""},
    {Cause::kNetworkSilent, ""},
    {Cause::kPoolerClose, "08P01"},
    {Cause::kPoolerServerLost, "08P01"},
    {Cause::kTlsError, ""},
    {Cause::kServerUnreachable, ""},
    {Cause::kUnknown, ""},
    {Cause::kUnknown, "57P01"},
};

}  // namespace

void foresee_failures(metrics::Instruments& instruments, ProbeKind probe) {
  for (const auto& [phase, reason, sqlstate] : kFailures) {
    instruments.count(families::kFailures,
                      {std::string(to_string(probe)), std::string(to_string(phase)),
                       std::string(to_string(reason)), sqlstate},
                      0);
  }
}

void foresee_drops(metrics::Instruments& instruments, ProbeKind probe) {
  for (const auto& [cause, sqlstate] : kLosses) {
    instruments.count(families::kDrops,
                      {std::string(to_string(probe)), std::string(to_string(cause)), sqlstate}, 0);
  }
}

}  // namespace pgconn::probes
