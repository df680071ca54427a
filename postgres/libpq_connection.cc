#include "postgres/libpq_connection.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "postgres/endpoint_error.h"

namespace pgconn::postgres {
namespace {

// Of one end of a socket; empty unless it is of the internet's protocols.
std::string numeric_address(int socket, int (*name_of)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof(storage);
  char text[NI_MAXHOST] = "";
  if (name_of(socket, address, &size) != 0 || storage.ss_family == AF_UNIX) return "";
  if (getnameinfo(address, size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) != 0) return "";
  return text;
}

}  // namespace

std::optional<std::chrono::seconds> LibpqConnection::keepalive_gap() const {
  const auto option = [this](int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    const bool known = getsockopt(PQsocket(wire_->raw()), level, name, &value, &size) == 0;
    return known ? value : 0;
  };
  if (option(SOL_SOCKET, SO_KEEPALIVE) == 0) return std::nullopt;
  const int idle = option(IPPROTO_TCP, TCP_KEEPIDLE);
  if (idle == 0) return std::nullopt;
  // After an answered keepalive, Linux checks again an interval later.
  return std::chrono::seconds(std::max(idle, option(IPPROTO_TCP, TCP_KEEPINTVL)));
}

std::pair<std::string, std::string> LibpqConnection::addresses() const {
  const int socket = PQsocket(wire_->raw());
  return {numeric_address(socket, getsockname), numeric_address(socket, getpeername)};
}

std::string LibpqConnection::host() const {
  const char* host = PQhost(wire_->raw());
  return host != nullptr ? host : "";
}

std::string LibpqConnection::endpoint() const {
  PGconn* const raw = wire_->raw();
  return endpoint_name(text_of(PQhost(raw)), text_of(PQhostaddr(raw)), text_of(PQport(raw)));
}

std::string LibpqConnection::port() const {
  const char* port = PQport(wire_->raw());
  return port != nullptr ? port : "";
}

}  // namespace pgconn::postgres
