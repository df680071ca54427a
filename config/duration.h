// Durations as Prometheus writes them: `250ms`, `15s`, `1h30m`, `1w`. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace pgconn::config {

// Whole numbers with the units y (365 days), w, d, h, m, s, ms, from the largest to the smallest,
// each at most once; `0` needs none. Throws std::invalid_argument whose message says what is wrong
// ("has no unit, write 15s or 15ms") without repeating the text.
Duration parse_duration(std::string_view text);

// The shortest text that parse_duration reads back as `value`: `1h30m`, `0`. Not for negative
// values.
std::string format_duration(Duration value);

}  // namespace pgconn::config
