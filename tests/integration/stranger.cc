#include "tests/integration/stranger.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace pgconn::test {
namespace {

std::pair<int, int> listen_on_loopback(int backlog) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, raw, length) != 0 || listen(fd, backlog) != 0 ||
      getsockname(fd, raw, &length) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  return {fd, ntohs(address.sin_port)};
}

std::string dsn_of(int port, std::string_view keywords) {
  return "host=127.0.0.1 user=u port=" + std::to_string(port) + " " + std::string(keywords);
}

}  // namespace

std::string Stranger::Line::read() {
  char buffer[65536];
  const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
  return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : std::string();
}

bool Stranger::Line::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Stranger::Line::read_until_closed() {
  while (!read().empty()) {
  }
}

Stranger::Stranger(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  std::tie(listener_, port_) = listen_on_loopback(16);
  thread_ = std::thread([this] { serve(); });
}

Stranger::~Stranger() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  if (const int fd = current_; fd >= 0) shutdown(fd, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

void Stranger::serve() {
  while (!stopping_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    current_ = fd;
    Line line(fd);
    if (!stopping_) behaviour_(line);
    current_ = -1;
    close(fd);
  }
}

std::string Stranger::dsn(std::string_view keywords) const { return dsn_of(port_, keywords); }

int Stranger::unused_port() {
  const auto [fd, port] = listen_on_loopback(1);
  close(fd);
  return port;
}

FullBacklog::FullBacklog() {
  std::tie(listener_, port_) = listen_on_loopback(0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  for (int i = 0; i < 4; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    waiting_.push_back(fd);
  }
}

FullBacklog::~FullBacklog() {
  for (const int fd : waiting_) close(fd);
  close(listener_);
}

std::string FullBacklog::dsn(std::string_view keywords) const { return dsn_of(port_, keywords); }

std::string number32(std::uint32_t value) {
  const std::uint32_t ordered = htonl(value);
  return std::string(reinterpret_cast<const char*>(&ordered), sizeof ordered);
}

std::string number16(std::uint16_t value) {
  const std::uint16_t ordered = htons(value);
  return std::string(reinterpret_cast<const char*>(&ordered), sizeof ordered);
}

std::string message(char type, std::string_view body) {
  return type + number32(static_cast<std::uint32_t>(body.size()) + 4) + std::string(body);
}

std::string flood_of(const std::string& unit) {
  std::string flood;
  while (flood.size() < 60000) flood += unit;
  return flood;
}

std::string login() {
  using namespace std::string_literals;
  return message('R', number32(0)) + message('S', "server_version\0"s + "15.1\0"s) +
         message('K', number32(1) + number32(2)) + message('Z', "I");
}

}  // namespace pgconn::test
