#include "postgres/libpq_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "postgres/endpoint_error.h"

namespace pgconn::postgres {

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
