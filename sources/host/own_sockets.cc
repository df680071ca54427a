#include "sources/host/own_sockets.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

constexpr std::string_view kSocket = "socket:[";

bool is_any(const TcpAddress& address) {
  return std::ranges::all_of(address.bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

// A connection to an address at which somebody listens, or to any of its family.
bool leads_to(const TcpSocket& socket, const TcpAddress& listening) {
  if (socket.local.family != listening.family) return false;
  return is_any(listening) || socket.local == listening;
}

}  // namespace

std::optional<std::vector<std::uint32_t>> socket_inodes(const std::string& procfs, int pid,
                                                        Deadline deadline) {
  std::error_code error;
  std::filesystem::directory_iterator files(procfs + "/" + std::to_string(pid) + "/fd", error);
  std::vector<std::uint32_t> inodes;
  while (!error && files != std::filesystem::directory_iterator()) {
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::error_code gone;  // a file that was closed meanwhile
    const std::string target = std::filesystem::read_symlink(files->path(), gone).string();
    std::string_view text = target;
    if (text.starts_with(kSocket) && text.ends_with(']')) {
      text.remove_prefix(kSocket.size());
      text.remove_suffix(1);
      if (const auto inode = number<std::uint32_t>(text)) inodes.push_back(*inode);
    }
    files.increment(error);
  }
  if (error) return std::nullopt;
  return inodes;
}

void keep_own(std::vector<TcpSocket>& sockets, const std::vector<std::uint32_t>& inodes) {
  std::vector<TcpAddress> listening;
  for (const TcpSocket& socket : sockets) {
    const bool ours = std::ranges::find(inodes, socket.inode) != inodes.end();
    if (ours && socket.state == kTcpListen) listening.push_back(socket.local);
  }
  if (listening.empty()) return;
  std::erase_if(sockets, [&](const TcpSocket& socket) {
    return std::ranges::none_of(listening, [&](const TcpAddress& address) {
      // Of two listening sockets, a wildcard does not cover the other.
      if (socket.state == kTcpListen) return socket.local == address;
      return leads_to(socket, address);
    });
  });
}

}  // namespace pgconn::host
