// The tokens of the two text formats: numbers and escaped strings. Appends to a string that the
// caller reuses, because a scrape has a hundred thousand of them. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgconn::metrics {

// The shortest text that reads back as the same double. Integers up to 2^53 are written in full,
// without exponent or point; NaN, +Inf and -Inf as both formats spell them.
void append_number(std::string& out, double value);
void append_number(std::string& out, std::uint64_t value);

// A bucket's bound as OpenMetrics wants it in `le`: as Go's %g, but always visibly a float (1.0).
void append_canonical_bound(std::string& out, double bound);

// Backslash, newline and double quote escaped: label values, and HELP in OpenMetrics.
void append_escaped(std::string& out, std::string_view text);

// Backslash and newline escaped: HELP in the Prometheus text format, which leaves quotes alone.
void append_escaped_text_help(std::string& out, std::string_view text);

}  // namespace pgconn::metrics
