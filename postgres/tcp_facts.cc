#include "postgres/tcp_facts.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pgconn::postgres {
namespace {

// TCP_ESTABLISHED and TCP_CLOSE: the header that defines them lacks this tcp_info.
constexpr int kEstablished = 1, kClosed = 7;

std::optional<tcp_info> info_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool known = getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  return known ? std::optional(info) : std::nullopt;
}

}  // namespace

std::uint64_t received_bytes(int socket) {
  const auto info = info_of(socket);
  return info ? info->tcpi_bytes_received : 0;
}

bool is_reset(int socket) {
  const auto info = info_of(socket);
  return info && info->tcpi_state == kClosed;
}

std::optional<bool> is_acknowledged(int socket) {
  const auto info = info_of(socket);
  if (!info || info->tcpi_state != kEstablished) return std::nullopt;
  return info->tcpi_unacked == 0 && info->tcpi_notsent_bytes == 0;
}

}  // namespace pgconn::postgres
