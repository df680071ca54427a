// PostgreSQL's units of settings and the way it reads numbers with them. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace pgconn::collectors {

// A unit as pg_settings.unit names it (also "us", "h", "d") in seconds; nullopt if it is none of
// time.
std::optional<double> seconds_in(std::string_view unit);

// A unit as pg_settings.unit names it ("B", "kB", "8kB", "MB" …) in bytes; nullopt if it is none
// of memory.
std::optional<double> bytes_in(std::string_view unit);

// The seconds of a time setting as someone wrote it ("5min", "1.5 h", "300000"): a plain number is
// in the setting's own `base_unit`, and the result is rounded to whole base units, as the server
// does. nullopt if it is not a time.
std::optional<double> parse_time(std::string_view text, std::string_view base_unit);

}  // namespace pgconn::collectors
