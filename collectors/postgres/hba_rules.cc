#include "collectors/postgres/hba_rules.h"

#include <string_view>

namespace pgconn::collectors {
namespace {

// Which clients the address of a rule means.
struct Scope {
  bool ipv4 = false, ipv6 = false;
  bool is_whole = false;  // all clients of these families
  bool is_local = false;  // none of another host
};

Scope scope_of(std::string_view address, std::string_view netmask) {
  if (address == "all") return {.ipv4 = true, .ipv6 = true, .is_whole = true};
  if (address == "samehost" || address == "localhost") {
    return {.ipv4 = true, .ipv6 = true, .is_local = true};
  }
  if (netmask.empty()) return {.ipv4 = true, .ipv6 = true};  // a host name, or samenet
  if (address.find(':') != std::string_view::npos) {
    const bool is_loopback =
        address == "::1" && netmask == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    return {.ipv6 = true, .is_whole = netmask == "::", .is_local = is_loopback};
  }
  const bool is_loopback = address.starts_with("127.") && netmask.starts_with("255.");
  return {.ipv4 = true, .is_whole = netmask == "0.0.0.0", .is_local = is_loopback};
}

}  // namespace

std::optional<std::vector<std::string>> plaintext_remote_rules(const postgres::Rows& rows) {
  const std::size_t place = rows.column("place");
  const std::size_t type = rows.column("type");
  const std::size_t address = rows.column("address");
  const std::size_t netmask = rows.column("netmask");
  const std::size_t method = rows.column("auth_method");
  const std::size_t everyone = rows.column("everyone");
  const std::size_t broken = rows.column("broken");
  std::vector<std::string> places;
  bool ipv4_refused = false, ipv6_refused = false;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto text = [&](std::size_t column) {
      return postgres::text_or(rows.at(row, column), "");
    };
    if (postgres::boolean(rows.at(row, broken)).value_or(true)) return std::nullopt;
    if (text(type) != "host" && text(type) != "hostnossl" && text(type) != "hostnogssenc") continue;
    const Scope scope = scope_of(text(address), text(netmask));
    const bool is_refused = (!scope.ipv4 || ipv4_refused) && (!scope.ipv6 || ipv6_refused);
    if (text(method) == "reject") {
      if (!scope.is_whole || !postgres::boolean(rows.at(row, everyone)).value_or(false)) continue;
      ipv4_refused = ipv4_refused || scope.ipv4;
      ipv6_refused = ipv6_refused || scope.ipv6;
    } else if (!scope.is_local && !is_refused) {
      places.emplace_back(text(place));
    }
  }
  return places;
}

}  // namespace pgconn::collectors
