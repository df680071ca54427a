#include "probes/drops/server_marks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "postgres/server_start.h"

namespace pgconn::probes {
namespace {

constexpr const char* kQuestion =
    "SELECT date_part('epoch', pg_postmaster_start_time()), date_part('epoch', clock_timestamp()),"
    " (SELECT date_part('epoch', backend_start) FROM pg_stat_get_activity(NULL)"
    " WHERE backend_type = 'checkpointer'),"
    " current_setting('tcp_keepalives_idle'),"
    " current_setting('tcp_keepalives_interval')";

// As Linux does it, see postgres::Connection::keepalive_gap(). 0 on a Unix socket.
std::optional<std::chrono::seconds> keepalive_gap(const postgres::Rows& rows) {
  const double idle = postgres::number(rows.at(0, 3)).value_or(0);
  const double interval = postgres::number(rows.at(0, 4)).value_or(0);
  if (idle <= 0) return std::nullopt;
  return std::chrono::seconds(static_cast<std::int64_t>(std::max(idle, interval)));
}

}  // namespace

asio::awaitable<ServerLook> look_at_server(postgres::Connection& connection,
                                           postgres::Deadline deadline) {
  const std::vector<postgres::Query> question = {{kQuestion, ""}};
  std::vector<postgres::Answer> answers;
  co_await connection.pipeline(question, deadline, answers);
  if (const auto* error = std::get_if<postgres::PgError>(&answers.front())) throw *error;
  const auto& rows = std::get<postgres::Rows>(answers.front());
  ServerLook look;
  ServerMarks& marks = look.marks;
  marks.start_time = postgres::number(rows.at(0, 0));
  marks.server_clock = postgres::number(rows.at(0, 1));
  marks.read_at = std::chrono::steady_clock::now();
  const auto checkpointer = postgres::number(rows.at(0, 2));
  if (marks.start_time && checkpointer) {
    marks.crash_restart_time = postgres::crash_restart_time(*marks.start_time, *checkpointer);
  }
  look.pooler = connection.is_direct() == false;
  if (!look.pooler) look.keepalive_gap = keepalive_gap(rows);
  co_return look;
}

ServerMarks learned(const ServerMarks& known, ServerMarks seen) {
  if (!seen.crash_restart_time && seen.start_time == known.start_time) {
    seen.crash_restart_time = known.crash_restart_time;
  }
  return seen;
}

}  // namespace pgconn::probes
