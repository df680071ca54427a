#include "probes/drops/pooler_words.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgconn::probes {
namespace {

// One SQLSTATE for everything; the texts, which are always English, distinguish the cases.
constexpr std::string_view kSqlstate = "08P01";

constexpr std::array<std::string_view, 9> kServerLost = {
    "server conn crashed?",
    "server closed the connection",
    "cannot connect to server",
    "server login has been failing",
    "server login failed",
    "(server down)",  // after client_login_timeout
    "server DNS lookup failed",
    "connect timeout",
    "connect failed"};

constexpr std::array<std::string_view, 15> kClosed = {
    "client_idle_timeout",
    "idle transaction timeout",
    "transaction timeout",
    "query timeout",
    "query_timeout",
    "query_wait_timeout",
    "client_login_timeout",
    "no more connections allowed",
    "client connections exceeded",
    "admin forced disconnect",  // KILL_CLIENT
    "database removed",         // KILL
    "database configuration changed",
    "suspend_timeout",
    "server shutting down",  // PgBouncer itself, like the next
    "pooler is shutting down"};

}  // namespace

std::optional<Cause> cause_in_pooler_words(const postgres::PgError& error) {
  if (error.sqlstate() != kSqlstate) return std::nullopt;
  const std::string_view words = error.what();
  const auto said = [words](std::string_view text) { return words.find(text) != words.npos; };
  if (std::any_of(kServerLost.begin(), kServerLost.end(), said)) return Cause::kPoolerServerLost;
  if (std::any_of(kClosed.begin(), kClosed.end(), said)) return Cause::kPoolerClose;
  return std::nullopt;
}

}  // namespace pgconn::probes
