// Small files, read whole: the configuration, a secret. Any thread; blocks for as long as the disk.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pgconn::config {

// The content of the file, but at most `limit` + 1 bytes: a longer result says that it is too
// large. Throws std::system_error with the reason (no such file, permission, a directory). A pipe
// is read to its end, and waited for.
std::string read_bounded_file(const std::string& path, std::size_t limit);

// The same, and nullopt for what is no regular file: nothing but the disk is ever waited for.
std::optional<std::string> read_bounded_regular_file(const std::string& path, std::size_t limit);

}  // namespace pgconn::config
