// What --web.listen-address may say, and what a failure to listen there means. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgconn::exporter {

struct ListenAddress {
  std::string text;        // as the operator wrote it, for messages
  std::string host;        // empty: every address of the machine; else an IPv4 or IPv6 literal
  std::uint16_t port = 0;  // 0: the kernel chooses

  bool is_ipv6() const { return host.find(':') != std::string::npos; }
};

// Reads `:10187`, `127.0.0.1:10187`, `[::1]:10187` or `localhost:10187` (which is 127.0.0.1).
// Throws std::invalid_argument whose message says what is wrong and what is allowed.
ListenAddress parse_listen_address(std::string_view text);

// Why listening there fails and what to do about it. `error` is an errno, or 0 where only
// `complaint` is known. Pure.
std::string listen_failure(const ListenAddress& address, int error, const std::string& complaint);

// A socket that has begun to connect to that address and port, or -1. The caller closes it.
int start_connecting(const ListenAddress& address, int port);

}  // namespace pgconn::exporter
