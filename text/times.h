// Moments and durations as people read them. Pure; any thread.
#pragma once

#include <chrono>
#include <string>

namespace pgconn::text {

// In UTC, to the millisecond: "2026-11-30T08:24:34.012Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

// In its largest fitting unit: "under 1 ms", "850 ms", "1.2 s", "90 s", "5 min", "3 h", "14 days".
// Below zero is as zero.
std::string spoken(std::chrono::milliseconds duration);

// The same for a count of seconds that someone else computed; "unknown" if it is no number.
std::string spoken_seconds(double seconds);

}  // namespace pgconn::text
