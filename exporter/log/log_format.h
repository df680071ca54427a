// One log record as one line of text. Pure functions; any thread.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pgconn::exporter::log {

enum class Level { kDebug, kInfo, kWarn, kError };
enum class Format { kLogfmt, kJson };

// "debug", "info", "warn", "error".
std::string_view to_string(Level level);

// A name (a plain word of ours) and a value (any bytes).
using Field = std::pair<std::string_view, std::string>;

struct Record {
  std::chrono::system_clock::time_point time;
  Level level = Level::kInfo;
  std::string_view message;
  std::span<const Field> fields;
};

// `ts=2026-01-02T03:04:05.678Z level=info msg="…" key=value`, or the same as a JSON object whose
// values are all strings. Never contains a newline, whatever the values: a record is one line.
// Invalid UTF-8 becomes U+FFFD.
std::string format(const Record& record, Format format);

}  // namespace pgconn::exporter::log
