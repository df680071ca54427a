#include "config/place.h"

#include <algorithm>
#include <charconv>

#include "config/allowed_place.h"
#include "text/ascii.h"
#include "text/utf8.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestDatabase = 63;  // as PostgreSQL's names

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= kLongestHost &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return text::is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos && address_bytes(host).has_value();
}

bool is_database(std::string_view name) {
  return name.size() <= kLongestDatabase && text::is_exposable(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; });
}

bool read_port(std::string_view text, int& port) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stop == end && port >= 1 && port <= 65535;
}

}  // namespace

std::optional<Place> parse_place(std::string_view text) {
  Place place;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    place.database = text.substr(slash + 1);
    if (place.database.empty() || !is_database(place.database)) return std::nullopt;
    text = text.substr(0, slash);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    port = text.substr(close + 1);
    text = text.substr(1, close - 1);
    if (!is_ipv6(text)) return std::nullopt;
  } else if (!is_ipv6(text)) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    port = text.substr(colon);
    text = text.substr(0, colon);
    if (!is_host(text)) return std::nullopt;
  }
  if (!port.empty() && !(port.starts_with(':') && read_port(port.substr(1), place.port))) {
    return std::nullopt;
  }
  place.host = text;
  return place;
}

}  // namespace pgconn::config
