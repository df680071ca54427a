#include "probes/server_marks.h"

#include <chrono>

#include "postgres/server_start.h"

namespace pgconn::probes {
namespace {

constexpr const char* kQuestion =
    "SELECT date_part('epoch', pg_postmaster_start_time()), date_part('epoch', clock_timestamp()),"
    " (SELECT date_part('epoch', backend_start) FROM pg_stat_get_activity(NULL)"
    " WHERE backend_type = 'checkpointer')";

}  // namespace

asio::awaitable<ServerMarks> read_server_marks(postgres::Connection& connection,
                                               postgres::Deadline deadline) {
  const std::vector<postgres::Query> question = {{kQuestion, ""}};
  std::vector<postgres::Answer> answers;
  co_await connection.pipeline(question, deadline, answers);
  if (const auto* error = std::get_if<postgres::PgError>(&answers.front())) throw *error;
  const auto& rows = std::get<postgres::Rows>(answers.front());
  ServerMarks marks;
  marks.start_time = postgres::number(rows.at(0, 0));
  marks.server_clock = postgres::number(rows.at(0, 1));
  marks.read_at = std::chrono::steady_clock::now();
  const auto checkpointer = postgres::number(rows.at(0, 2));
  if (marks.start_time && checkpointer) {
    marks.crash_restart_time = postgres::crash_restart_time(*marks.start_time, *checkpointer);
  }
  co_return marks;
}

}  // namespace pgconn::probes
