// Small files, read whole: the configuration, a secret, a certificate, one of /proc. Any thread;
// blocks for as long as the disk takes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pgconn::files {

// The content of the file, but at most `limit` + 1 bytes: a longer result means that it is too
// large. nullopt for anything but a regular file (a pipe, a device): opening one could wait
// forever, and only the disk may be waited for. Symbolic links are followed. Throws
// std::system_error with the reason (no such file, permission, a directory).
std::optional<std::string> read_bounded_regular_file(const std::string& path, std::size_t limit);

}  // namespace pgconn::files
