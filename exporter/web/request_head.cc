#include "exporter/web/request_head.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace pgconn::exporter {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < ' ' && c != '\r' && c != '\n') || byte == 0x7f;
}

// What follows the scheme in "http://host/path"; empty if it is not an absolute URI of HTTP.
std::string_view after_scheme(std::string_view target) {
  constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};
  for (const std::string_view scheme : kSchemes) {
    if (target.size() > scheme.size() &&
        strncasecmp(target.data(), scheme.data(), scheme.size()) == 0) {
      return target.substr(scheme.size());
    }
  }
  return {};
}

std::string plain_target(std::string_view method, std::string_view target) {
  if (target == "*") return method == "OPTIONS" ? "/" : "/*";
  const std::string_view rest = after_scheme(target);
  if (rest.empty()) return std::string(target);
  const std::string_view path = rest.substr(std::min(rest.find_first_of("/?#"), rest.size()));
  return path.starts_with('/') ? std::string(path) : "/" + std::string(path);
}

}  // namespace

bool RequestHead::add(std::string_view piece) {
  for (const char c : piece) {
    bytes_.push_back(c);
    if (ends_here(c)) return false;
  }
  return true;
}

// The ends of a head that the HTTP server recognises.
bool RequestHead::ends_here(char c) {
  if (bytes_.size() >= kMostHeadBytes || is_control(c)) return true;
  return c == '\n' && (bytes_.ends_with("\n\n") || bytes_.ends_with("\r\n\r\n"));
}

std::string with_plain_target(const std::string& head) {
  const std::string_view line = std::string_view(head).substr(0, head.find_first_of("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return head;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  return std::string(method) + " " + plain_target(method, target) + head.substr(last);
}

}  // namespace pgconn::exporter
