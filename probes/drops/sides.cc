#include "probes/drops/sides.h"

#include "probes/drops/attribution.h"

namespace pgconn::probes {
namespace {

// Only the server says so, or does so; a pooler passes it on.
bool is_of_server(Cause cause) {
  switch (cause) {
    case Cause::kAdminTerminate:
    case Cause::kServerShutdown:
    case Cause::kCrash:
    case Cause::kOomKill:
    case Cause::kIdleInTransactionTimeout:
    case Cause::kIdleSessionTimeout:
    case Cause::kTransactionTimeout:
    case Cause::kRecoveryConflict:
    case Cause::kPoolerServerLost:
      return true;
    default:
      return false;
  }
}

std::string told(const std::string& target, Beside did) {
  if (target.empty() || did == Beside::kUnknown) return "";
  return target + (did == Beside::kFell ? " lost connections too" : " went on answering");
}

}  // namespace

std::string_view to_string(Side side) {
  switch (side) {
    case Side::kUnknown:
      return "";
    case Side::kPooler:
      return "pooler";
    case Side::kServer:
      return "server";
  }
  return "";
}

Side side_that_fell(const PoolerSides& sides, Cause cause) {
  if (cause == Cause::kPoolerClose || sides.pooler_did == Beside::kFell) return Side::kPooler;
  if (is_of_server(cause)) return Side::kServer;
  const bool server_alone =
      sides.pooler_did == Beside::kAnswered && sides.server_did == Beside::kFell;
  return server_alone ? Side::kServer : Side::kUnknown;
}

std::string describe(const PoolerSides& sides, Side side) {
  std::string words;
  const auto add = [&words](std::string_view part) {
    if (part.empty()) return;
    words += (words.empty() ? "" : ", ") + std::string(part);
  };
  if (side == Side::kPooler) add("the pooler or the way to it fell");
  if (side == Side::kServer) add("the server behind the pooler or the way to it fell");
  add(told(sides.pooler, sides.pooler_did));
  add(told(sides.server, sides.server_did));
  return words;
}

}  // namespace pgconn::probes
