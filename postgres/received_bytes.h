// How much a peer has sent. Any thread. By itself because the kernel's tcp_info, which knows, and
// the C library's, which does not, cannot be included side by side.
#pragma once

#include <cstdint>

namespace pgconn::postgres {

// Bytes received on a TCP socket since it was connected; 0 for a Unix socket.
std::uint64_t received_bytes(int socket);

}  // namespace pgconn::postgres
