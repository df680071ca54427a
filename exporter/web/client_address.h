// Where an HTTP client is. Pure; any thread.
#pragma once

#include <asio/ip/address.hpp>
#include <string>

namespace pgconn::exporter {

// Unwraps IPv4: a socket of both families shows it within IPv6.
asio::ip::address unmapped(const asio::ip::address& address);

// What counts as one client where each has a share: an IPv4 address, or an IPv6 network of 64 bits,
// since a client with one of its addresses has them all.
std::string client_group(const asio::ip::address& address);

}  // namespace pgconn::exporter
