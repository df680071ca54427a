// A pattern that says where a password may be sent: `10.1.0.0/16`, `2001:db8::/32`, `192.0.2.7`,
// `*.db.internal`, each also with a port (`db.example.com:5432`, `[2001:db8::/32]:5432`).
// Values and pure functions; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace pgconn::config {

// An IPv4 address as IPv6 writes it (::ffff:a.b.c.d), so that both notations are equal.
using AddressBytes = std::array<unsigned char, 16>;

// nullopt unless `text` is a numeric address in its usual notation, without a zone.
std::optional<AddressBytes> address_bytes(std::string_view text);

class AllowedPlace {
 public:
  // nullopt if it is not a pattern. A name whose last label is a number would be an address to the
  // system, so it is no name; one whose last label has a `*` would allow any domain.
  static std::optional<AllowedPlace> parse(std::string_view text);

  // Whether it allows a connection to `address`, which `host` (a name, or the address itself)
  // resolved to. A network is compared with the address, whatever the name; a name pattern with the
  // name, ignoring case and a final dot. Its `*` stands for any characters but a dot.
  bool covers(std::string_view host, const std::string& address, int port) const;

  bool operator==(const AllowedPlace&) const = default;

 private:
  std::string name_;  // in lower case; empty: a network
  AddressBytes network_{};
  int prefix_ = 0;  // bits of it
  std::optional<int> port_;
};

}  // namespace pgconn::config
