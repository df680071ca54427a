// The families of the server's log. Constants.
#pragma once

#include <array>

#include "metrics/descriptor.h"

namespace pgconn::server_log::families {

using metrics::counter;
using metrics::Fold;
using metrics::gauge;
using metrics::histogram;
using metrics::Unit;

inline constexpr auto kEventsTotal =
    counter("pgconn_log_events_total",
            "Entries of the server's log that concern connections, by what they tell and their "
            "SQLSTATE (empty where the log does not show it: put %e into log_line_prefix).",
            {"event", "sqlstate"});
inline constexpr auto kLines =
    counter("pgconn_log_lines_total", "Entries of the server's log, by severity.", {"severity"});
inline constexpr auto kParseErrors =
    counter("pgconn_log_parse_errors_total",
            "Lines of the log that could not be read as they should: unparsed (not of the "
            "configured format), torn (end in the middle), oversize (longer than 1 MiB, the rest "
            "was skipped), nul (with NUL bytes), encoding (not UTF-8). The last three were "
            "counted as what they say all the same.",
            {"reason"});
inline constexpr auto kRefusedLogins =
    counter("pgconn_log_refused_logins_total",
            "Logins that the server refused, by the reason that its log gives.", {"reason"});
inline constexpr auto kSessionDuration =
    histogram("pgconn_log_session_duration_seconds",
              "How long sessions lasted that ended, from the log's lines of disconnections "
              "(log_disconnections).");
inline constexpr auto kLoginDuration =
    histogram("pgconn_log_login_duration_seconds",
              "How long real logins took in the server, by stage: total, fork, authentication "
              "(PostgreSQL 18 on, log_connections = setup_durations).",
              {"stage"});
inline constexpr auto kLastEvent =
    gauge("pgconn_log_last_event_timestamp_seconds",
          "Unix time of the log's last entry that told of the event.", {"event"}, Unit::kSeconds,
          Fold::kMax);
inline constexpr auto kLagBytes =
    gauge("pgconn_log_lag_bytes", "Bytes of the log that are written and not read yet.", {},
          Unit::kBytes);
inline constexpr auto kLag =
    gauge("pgconn_log_lag_seconds",
          "Age of the last entry read while there is more to read; 0 when all is read.", {},
          Unit::kSeconds, Fold::kMax);
inline constexpr auto kTroubles =
    counter("pgconn_log_troubles_total",
            "Times that something kept the log from being read as it should: missing, denied, "
            "unreadable, format (lines do not fit), several_formats, state (the file with the "
            "position).",
            {"reason"});

inline constexpr auto kPoolerClosings =
    counter("pgconn_pgbouncer_log_closings_total",
            "Connections that PgBouncer closed, by the side (client, server) and the reason that "
            "its log gives (server_log with format: pgbouncer).",
            {"side", "reason"});

inline constexpr std::array<const metrics::Descriptor*, 11> kAll = {
    &kEventsTotal, &kLines,    &kParseErrors, &kRefusedLogins, &kSessionDuration, &kLoginDuration,
    &kLastEvent,   &kLagBytes, &kLag,         &kTroubles,      &kPoolerClosings};

}  // namespace pgconn::server_log::families
