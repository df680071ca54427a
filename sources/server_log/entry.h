// One entry of a PostgreSQL server log, whatever its format. Values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace pgconn::server_log {

using TimePoint = std::chrono::system_clock::time_point;

enum class Severity { kUnknown, kDebug, kLog, kInfo, kNotice, kWarning, kError, kFatal, kPanic };
inline constexpr std::size_t kSeverities = 9;

// The value of the label `severity`: PostgreSQL's English word in lower case, or `unknown`.
std::string_view to_string(Severity severity);

// The texts are views into the parser's memory, valid until the callback that received the entry
// returns. None of them may become a label or appear on a page.
struct Entry {
  Severity severity = Severity::kUnknown;
  std::string_view sqlstate;      // five characters; empty if not in the log
  std::optional<TimePoint> time;  // nothing if not in the log, or its zone is unknown
  std::int32_t pid = 0;           // 0 if not in the log
  // Nothing if not in the log. Empty: written by a process without a session.
  std::optional<std::string_view> user;
  std::optional<std::string_view> database;
  std::string_view backend_type;  // empty if not in the log
  std::string_view message;
  std::string_view detail;
};

using Sink = std::function<void(const Entry&)>;

}  // namespace pgconn::server_log
