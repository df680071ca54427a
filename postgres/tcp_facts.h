// What the kernel knows about a TCP socket. Any thread. In a file of its own because the kernel's
// tcp_info, which has it, and the C library's, which lacks it, cannot be included side by side.
#pragma once

#include <cstdint>
#include <optional>

namespace pgconn::postgres {

// Bytes received on a TCP socket since it was connected; 0 for a Unix socket.
std::uint64_t received_bytes(int socket);

// A reset has arrived, or the kernel has given up. After a plain close by the peer this is false:
// the kernel then waits for us to close too. False for a Unix socket.
bool is_reset(int socket);

// Whether the peer's kernel has acknowledged everything we sent; absent for a Unix socket, and for
// one that is no longer connected.
std::optional<bool> is_acknowledged(int socket);

}  // namespace pgconn::postgres
