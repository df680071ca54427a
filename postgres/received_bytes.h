// How much a peer has sent, and whether it has reset the connection. Any thread. By itself because
// the kernel's tcp_info, which knows, and the C library's, which does not, cannot be included side
// by side.
#pragma once

#include <cstdint>

namespace pgconn::postgres {

// Bytes received on a TCP socket since it was connected; 0 for a Unix socket.
std::uint64_t received_bytes(int socket);

// A reset has arrived, or the kernel has given up: for a peer that has closed it waits for us to
// close too. False for a Unix socket.
bool is_reset(int socket);

}  // namespace pgconn::postgres
