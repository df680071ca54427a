// Looks at the server: when it started, when it last re-initialized after a crash, and what lies on
// the path to it. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <optional>

#include "async/time_source.h"
#include "postgres/connection.h"
#include "probes/drops/attribution.h"

namespace pgconn::probes {

struct ServerLook {
  ServerMarks marks;
  bool pooler = false;  // in between
  // The longest silence that the server's keepalives leave on the path; absent behind a pooler.
  std::optional<Clock::duration> keepalive_gap;
};

// From pg_postmaster_start_time() and the checkpointer's backend_start in pg_stat_get_activity
// (hidden without pg_read_all_stats: then crash_restart_time is absent). Throws PgError.
asio::awaitable<ServerLook> look_at_server(postgres::Connection& connection,
                                           const async::TimeSource& time,
                                           postgres::Deadline deadline);

// What is known after a scrape has seen a server. A scrape of some collectors only may not read the
// crash restart time; the known one is then kept while the server is the same. Pure.
ServerMarks learned(const ServerMarks& known, ServerMarks seen);

}  // namespace pgconn::probes
