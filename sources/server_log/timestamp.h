// The timestamps that PostgreSQL writes into its log. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "sources/server_log/entry.h"

namespace pgconn::server_log {

struct Timestamp {
  std::size_t length = 0;         // bytes it takes, with its time zone
  std::optional<TimePoint> time;  // nothing if the zone is unknown
};

// Reads `2026-11-29 13:36:11.315 UTC` at the front of `text`, with or without milliseconds; nothing
// if something else is there. Known zones are UTC, numeric ones, and the abbreviations of
// PostgreSQL's default list (EST is American, IST Israeli).
std::optional<Timestamp> parse_timestamp(std::string_view text);

// Reads %n, seconds since 1970 with milliseconds: `1764423371.315`.
std::optional<Timestamp> parse_epoch(std::string_view text);

}  // namespace pgconn::server_log
