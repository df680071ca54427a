// Where a server is, as a request or Prometheus's service discovery writes it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgconn::config {

struct Place {
  std::string host;  // a name or a numeric address
  int port = 5432;
  std::string database;  // empty: not said
};

// Reads `HOST[:PORT][/DATABASE]`; an IPv6 address with a port is in brackets. nullopt if it is
// something else.
std::optional<Place> parse_place(std::string_view text);

}  // namespace pgconn::config
