#include "postgres/received_bytes.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

namespace pgconn::postgres {
namespace {

constexpr int kTcpClose = 7;  // TCP_CLOSE, which the C library's header names

std::optional<tcp_info> info_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return info;
}

}  // namespace

std::uint64_t received_bytes(int socket) {
  const auto info = info_of(socket);
  return info ? info->tcpi_bytes_received : 0;
}

bool is_reset(int socket) {
  const auto info = info_of(socket);
  return info && info->tcpi_state == kTcpClose;
}

}  // namespace pgconn::postgres
