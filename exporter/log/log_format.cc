#include "exporter/log/log_format.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "text/times.h"
#include "text/utf8.h"

namespace pgconn::exporter::log {
namespace {

// A JSON string literal is also what logfmt readers expect between quotes. There \u may stand for
// any character, also for one that deceives.
std::string quoted(std::string_view value) {
  return text::repaired(
      nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

bool needs_quotes(std::string_view value) {
  return value.empty() || std::ranges::any_of(value, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           // Beyond ASCII it might be invalid UTF-8, which only quoted() repairs.
           return byte <= ' ' || byte >= 0x7F || c == '=' || c == '"' || c == '\\';
         });
}

void append_pair(std::string& line, std::string_view name, std::string_view value, Format format) {
  if (format == Format::kJson) {
    line += line.size() > 1 ? "," : "";
    line += quoted(name) + ":" + quoted(value);
  } else {
    line += line.empty() ? "" : " ";
    line.append(name).append("=").append(needs_quotes(value) ? quoted(value) : std::string(value));
  }
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "info";
}

std::string format(const Record& record, Format format) {
  std::string line = format == Format::kJson ? "{" : "";
  append_pair(line, "ts", text::rfc3339(record.time), format);
  append_pair(line, "level", to_string(record.level), format);
  append_pair(line, "msg", record.message, format);
  for (const auto& [name, value] : record.fields) append_pair(line, name, value, format);
  if (format == Format::kJson) line += "}";
  return line;
}

}  // namespace pgconn::exporter::log
