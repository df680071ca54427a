#include "sources/host/socket_dump.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

class DiagSocket {
 public:
  DiagSocket()
      : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG)) {}
  ~DiagSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  DiagSocket(const DiagSocket&) = delete;
  DiagSocket& operator=(const DiagSocket&) = delete;
  bool is_open() const { return fd_ >= 0; }

  bool send(const std::vector<std::byte>& request) const {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = ::sendto(fd_, request.data(), request.size(), MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    return sent == static_cast<ssize_t>(request.size());
  }

  // Receives the next datagram from the kernel; its size, or a negative errno value.
  ssize_t receive(std::vector<std::byte>& buffer, Deadline deadline) const {
    while (true) {
      if (const int error = wait_readable(deadline); error != 0) return -error;
      sockaddr_nl sender{};
      socklen_t length = sizeof sender;
      const ssize_t count = ::recvfrom(fd_, buffer.data(), buffer.size(), MSG_TRUNC,
                                       reinterpret_cast<sockaddr*>(&sender), &length);
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count < 0) return -errno;
      if (static_cast<std::size_t>(count) > buffer.size()) return -EMSGSIZE;
      // Any process may send to a netlink socket; the kernel has the number 0.
      if (sender.nl_pid == 0) return count;
    }
  }

 private:
  int wait_readable(Deadline deadline) const {
    while (true) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return ETIMEDOUT;
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      const int ready =
          ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
      if (ready > 0) return 0;
      if (ready < 0 && errno != EINTR) return errno;
    }
  }

  int fd_;
};

std::string not_listed(int number) {
  return "the kernel's list of TCP sockets (sock_diag): " + errno_text(number);
}

// Adds the sockets of one family. Returns why they are incomplete, or "".
std::string add_family(const DiagSocket& diag, int family, std::uint32_t sequence,
                       std::uint16_t port, Deadline deadline, std::size_t limit,
                       std::vector<TcpSocket>& sockets) {
  if (!diag.send(sock_diag_request(family, port, sequence))) return not_listed(errno);
  // The kernel sends datagrams of up to 32 KiB to a reader with that much room.
  std::vector<std::byte> buffer(std::size_t{64} * 1024);
  std::size_t malformed = 0;
  while (true) {
    const ssize_t count = diag.receive(buffer, deadline);
    if (count < 0) return not_listed(static_cast<int>(-count));
    const DumpPart part = parse_sock_diag({buffer.data(), static_cast<std::size_t>(count)},
                                          sequence, port, limit, sockets);
    malformed += part.malformed;
    if (part.error != 0) return not_listed(part.error);
    if (sockets.size() >= limit) return "more than " + std::to_string(limit) + " TCP sockets";
    if (part.done) break;
  }
  return malformed == 0 ? "" : "the kernel's list of TCP sockets was not understood whole";
}

}  // namespace

SocketDump dump_tcp_sockets(std::uint16_t port, Deadline deadline, std::size_t limit) {
  SocketDump dump;
  const DiagSocket diag;
  if (!diag.is_open()) {
    dump.error = not_listed(errno);
    return dump;
  }
  std::uint32_t sequence = 0;
  for (const int family : {AF_INET, AF_INET6}) {
    dump.error = add_family(diag, family, ++sequence, port, deadline, limit, dump.sockets);
    if (!dump.error.empty()) return dump;
  }
  dump.complete = true;
  return dump;
}

}  // namespace pgconn::host
