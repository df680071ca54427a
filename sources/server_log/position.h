// Where a reader is in a file, and how the file is known again. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgconn::server_log {

struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

// The beginning of a file. An inode that was freed is given to the next file, and a file that is
// truncated keeps its own: only the bytes tell. A hash: a log's text goes into no state file.
struct Fingerprint {
  std::uint32_t length = 0;  // of the beginning that it stands for, at most kFingerprintBytes
  std::uint64_t hash = 0xcbf29ce484222325;  // of no bytes
  bool operator==(const Fingerprint&) const = default;
};
inline constexpr std::size_t kFingerprintBytes = 256;
// Shorter ones cannot tell two files apart, or a file from its copy.
inline constexpr std::size_t kShortestFingerprint = 64;

// FNV-1a of the first `length` bytes of `head`, of all if it is shorter.
Fingerprint fingerprint_of(std::string_view head, std::size_t length = kFingerprintBytes);

// Whether a file that begins with `head` may be the one that `print` was taken of. One that is
// empty may be any.
bool is_same_beginning(const Fingerprint& print, std::string_view head);

struct Position {
  FileId id;
  std::string path;
  std::uint64_t offset = 0;  // all entries before it were given out
  Fingerprint print;
};

}  // namespace pgconn::server_log
