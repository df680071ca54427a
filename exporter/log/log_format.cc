#include "exporter/log/log_format.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace pgconn::exporter::log {
namespace {

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto since_epoch =
      std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(since_epoch / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32];
  char text[48];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof(text), "%s.%03dZ", date, static_cast<int>(since_epoch % 1000));
  return text;
}

// Whether a character of two or three bytes is a C1 control (U+0080 to U+009F), which terminals
// obey, or a direction mark (U+202A to U+202E, U+2066 to U+2069), which makes a line look different
// from what it is.
bool deceives(char32_t point) {
  return (point >= 0x80 && point <= 0x9F) || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

// `literal` is well-formed UTF-8 inside a JSON literal, where \u may stand for any character.
std::string escape_deceivers(std::string_view literal) {
  std::string out;
  for (std::size_t i = 0; i < literal.size();) {
    const auto byte = [&](std::size_t at) {
      return static_cast<char32_t>(static_cast<unsigned char>(literal[i + at]));
    };
    const char32_t lead = byte(0);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = 0;
    if (length == 2) point = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    if (length == 3) point = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (deceives(point)) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(point & 0xFFFF));
      out += escape;
    } else {
      out += literal.substr(i, length);
    }
    i += length;
  }
  return out;
}

// A JSON string literal is also what logfmt readers expect between quotes.
std::string quoted(std::string_view value) {
  return escape_deceivers(
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
  append_pair(line, "ts", timestamp(record.time), format);
  append_pair(line, "level", to_string(record.level), format);
  append_pair(line, "msg", record.message, format);
  for (const auto& [name, value] : record.fields) append_pair(line, name, value, format);
  if (format == Format::kJson) line += "}";
  return line;
}

}  // namespace pgconn::exporter::log
