#include "config/allowed_place.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "text/ascii.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr int kAddressBits = 128;
constexpr int kIpv4Bits = 32;

std::optional<int> number(std::string_view text, int least, int most) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < least || value > most) return std::nullopt;
  return value;
}

// To getaddrinfo `10.1` and `0x7f.1` are addresses: names end in a label that is not a number.
bool ends_in_number(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return last.starts_with("0x") || std::all_of(last.begin(), last.end(), text::is_digit);
}

std::string plain_name(std::string_view host) {
  std::string name = text::lowered(host);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// `db.*` would be any domain of the world.
bool is_open_ended(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && name.find('*', dot) != std::string_view::npos;
}

bool is_name_pattern(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kLongestName && !name.starts_with('.') &&
                    !name.ends_with('.') && name.find("..") == std::string_view::npos;
  return fits && !ends_in_number(name) && !is_open_ended(name) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return text::is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '*';
         });
}

// The length of a pattern is bounded, and so is the number of stars tried here: each `*` is matched
// greedily from the last one on, in time of the product of both lengths at most.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, after_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos && name[after_star] != '.') {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                     [](char c) { return c == '*'; });
}

bool equal_bits(const AddressBytes& a, const AddressBytes& b, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const int rest = bits % 8;
  return rest == 0 || ((a.at(whole) ^ b.at(whole)) >> (8 - rest)) == 0;
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

// `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `IPV6`. nullopt if a bracket is left open.
std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    HostAndPort parts{text.substr(1, close - 1), std::nullopt};
    if (!rest.empty()) parts.port = rest.substr(1);
    return parts;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return HostAndPort{text, std::nullopt};
  }
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

std::optional<AddressBytes> address_bytes(std::string_view text) {
  const std::string address(text);
  AddressBytes bytes{};
  in_addr ipv4{};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return bytes;
  if (inet_pton(AF_INET, address.c_str(), &ipv4) != 1) return std::nullopt;
  bytes[10] = bytes[11] = 0xFF;
  std::memcpy(&bytes[12], &ipv4, sizeof ipv4);
  return bytes;
}

std::optional<AllowedPlace> AllowedPlace::parse(std::string_view text) {
  const auto parts = split(text);
  if (!parts || parts->host.find('\0') != std::string_view::npos) return std::nullopt;
  AllowedPlace place;
  if (parts->port) {
    place.port_ = number(*parts->port, 1, 65535);
    if (!place.port_) return std::nullopt;
  }
  const std::size_t slash = parts->host.find('/');
  const std::string_view address = parts->host.substr(0, slash);
  const auto bytes = address_bytes(address);
  if (!bytes) {
    place.name_ = text::lowered(parts->host);
    return is_name_pattern(place.name_) ? std::optional(place) : std::nullopt;
  }
  const bool ipv4 = address.find(':') == std::string_view::npos;
  const int bits = ipv4 ? kIpv4Bits : kAddressBits;
  const auto prefix = slash == std::string_view::npos
                          ? std::optional(bits)
                          : number(parts->host.substr(slash + 1), 0, bits);
  if (!prefix) return std::nullopt;
  place.network_ = *bytes;
  place.prefix_ = *prefix + kAddressBits - bits;
  return place;
}

bool AllowedPlace::covers(std::string_view host, const std::string& address, int port) const {
  if (port_ && *port_ != port) return false;
  if (!name_.empty()) {
    const std::string name = plain_name(host);
    return !name.empty() && !ends_in_number(name) && !address_bytes(name) && matches(name_, name);
  }
  const auto bytes = address_bytes(address);
  return bytes && equal_bits(*bytes, network_, prefix_);
}

}  // namespace pgconn::config
