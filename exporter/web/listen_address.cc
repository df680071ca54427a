#include "exporter/web/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace pgconn::exporter {
namespace {

bool is_literal(int family, const std::string& host) {
  in6_addr address{};  // large enough for either family
  return inet_pton(family, host.c_str(), &address) == 1;
}

[[noreturn]] void reject(std::string_view text, std::string_view why) {
  throw std::invalid_argument("\"" + std::string(text) + "\" is not a listen address: " +
                              std::string(why) + "; write :PORT, ADDRESS:PORT or [IPv6]:PORT");
}

// The host between the brackets, or before the colon, in the form the socket API takes.
std::string parse_host(std::string_view text, std::string_view host) {
  if (host.empty()) return "";
  if (host == "localhost") return "127.0.0.1";
  if (host.front() == '[' && host.back() == ']') {
    std::string inner(host.substr(1, host.size() - 2));
    if (!is_literal(AF_INET6, inner)) reject(text, "there is no IPv6 address in the brackets");
    return inner;
  }
  std::string plain(host);
  if (is_literal(AF_INET6, plain)) reject(text, "an IPv6 address needs brackets");
  if (!is_literal(AF_INET, plain)) reject(text, "the host is not an IP address");
  return plain;
}

std::string_view advice(int error) {
  switch (error) {
    case EADDRINUSE:
      return "another process listens there; stop it or choose another address with "
             "--web.listen-address";
    case EACCES:
      return "this user may not use that port; choose one above 1023 with --web.listen-address";
    case EADDRNOTAVAIL:
      return "this machine does not have that address; choose another with --web.listen-address";
    default:
      return "choose another address with --web.listen-address";
  }
}

}  // namespace

ListenAddress parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) reject(text, "the port is missing");
  const std::string_view digits = text.substr(colon + 1);
  ListenAddress address;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, address.port);
  if (error != std::errc() || stop != end) reject(text, "the port is not a number from 0 to 65535");
  address.text = text;
  address.host = parse_host(text, text.substr(0, colon));
  return address;
}

std::string listen_failure(const ListenAddress& address, int error, const std::string& complaint) {
  const std::string reason = error == 0 ? complaint : std::strerror(error);
  return "cannot listen on " + address.text + ": " + reason + "; " + std::string(advice(error));
}

int start_connecting(const ListenAddress& address, int port) {
  const int family = address.is_ipv6() ? AF_INET6 : AF_INET;
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const auto network_port = htons(static_cast<std::uint16_t>(port));
  // Success, "in progress" and failure need no distinction here: the descriptor will show it.
  if (family == AF_INET6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = network_port;
    inet_pton(AF_INET6, address.host == "::" ? "::1" : address.host.c_str(), &to.sin6_addr);
    static_cast<void>(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)));
  } else {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = network_port;
    const bool any = address.host.empty() || address.host == "0.0.0.0";
    inet_pton(AF_INET, any ? "127.0.0.1" : address.host.c_str(), &to.sin_addr);
    static_cast<void>(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)));
  }
  return fd;
}

}  // namespace pgconn::exporter
