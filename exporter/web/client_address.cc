#include "exporter/web/client_address.h"

#include <algorithm>
#include <cstdint>

namespace pgconn::exporter {

asio::ip::address unmapped(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

std::string client_group(const asio::ip::address& address) {
  const asio::ip::address plain = unmapped(address);
  if (!plain.is_v6()) return plain.to_string();
  auto bytes = plain.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes).to_string();
}

}  // namespace pgconn::exporter
