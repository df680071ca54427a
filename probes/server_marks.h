// Reads when the server started and when it last re-initialized after a crash. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>

#include "postgres/connection.h"
#include "probes/attribution.h"

namespace pgconn::probes {

// From pg_postmaster_start_time() and the checkpointer's backend_start in pg_stat_get_activity
// (hidden without pg_read_all_stats: then crash_restart_time is absent). Throws PgError.
asio::awaitable<ServerMarks> read_server_marks(postgres::Connection& connection,
                                               postgres::Deadline deadline);

}  // namespace pgconn::probes
