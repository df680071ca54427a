#include "probes/drops/server_marks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "postgres/answer.h"
#include "postgres/server_start.h"

namespace pgconn::probes {
namespace {

constexpr const char* kQuestion =
    "SELECT date_part('epoch', pg_postmaster_start_time()) AS start_time,"
    " date_part('epoch', clock_timestamp()) AS server_clock,"
    " (SELECT date_part('epoch', backend_start) FROM pg_stat_get_activity(NULL)"
    " WHERE backend_type = 'checkpointer') AS checkpointer_start,"
    " current_setting('tcp_keepalives_idle') AS keepalives_idle,"
    " current_setting('tcp_keepalives_interval') AS keepalives_interval";

// More than a lifetime, and far below what a nanosecond clock can represent.
constexpr double kLongestGap = 1e9;

// As Linux computes it, see postgres::Connection::keepalive_gap(). 0 on a Unix socket.
std::optional<std::chrono::seconds> keepalive_gap(const postgres::Rows& rows) {
  const double idle = postgres::number(rows.only("keepalives_idle")).value_or(0);
  const double interval = postgres::number(rows.only("keepalives_interval")).value_or(0);
  const double gap = std::max(idle, interval);
  if (!(idle > 0) || !(gap <= kLongestGap)) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(gap));
}

ServerLook read_look(const postgres::Rows& rows, bool pooler, Clock::time_point now) {
  ServerLook look;
  look.marks.start_time = postgres::number(rows.only("start_time"));
  look.marks.server_clock = postgres::number(rows.only("server_clock"));
  look.marks.read_at = now;
  const auto checkpointer = postgres::number(rows.only("checkpointer_start"));
  if (look.marks.start_time && checkpointer) {
    look.marks.crash_restart_time =
        postgres::crash_restart_time(*look.marks.start_time, *checkpointer);
  }
  look.pooler = pooler;
  if (!pooler) look.keepalive_gap = keepalive_gap(rows);
  return look;
}

}  // namespace

asio::awaitable<ServerLook> look_at_server(postgres::Connection& connection,
                                           const async::TimeSource& time,
                                           postgres::Deadline deadline) {
  const std::vector<postgres::Query> question = {{kQuestion, ""}};
  std::vector<postgres::Answer> answers;
  co_await connection.pipeline(question, deadline, answers);
  co_return postgres::read_answer(answers, [&](const postgres::Rows& rows) {
    return read_look(rows, connection.is_direct() == false, time.now());
  });
}

ServerMarks learned(const ServerMarks& known, ServerMarks seen) {
  if (!seen.crash_restart_time && seen.start_time == known.start_time) {
    seen.crash_restart_time = known.crash_restart_time;
  }
  return seen;
}

}  // namespace pgconn::probes
