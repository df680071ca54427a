// Where an HTTP client is. Pure; any thread.
#pragma once

#include <asio/ip/address.hpp>
#include <string>

namespace pgconn::exporter {

// IPv4 as such: a socket of both families shows it within IPv6.
asio::ip::address unmapped(const asio::ip::address& address);

// What counts as one client where each has its share: an IPv4 address; of IPv6 the network of 64
// bits, since whoever has one such address has them all.
std::string client_group(const asio::ip::address& address);

}  // namespace pgconn::exporter
