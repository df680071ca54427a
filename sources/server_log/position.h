// Where a reader is in a file, and how the file is recognised. Values; any thread.
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

// The beginning of a file. A freed inode is reused for the next file, and a truncated file keeps
// its own, so only the bytes identify a file. A hash, because no text from the log may go into a
// state file.
struct Fingerprint {
  std::uint32_t length = 0;                 // of the hashed beginning, at most kFingerprintBytes
  std::uint64_t hash = 0xcbf29ce484222325;  // of no bytes
  bool operator==(const Fingerprint&) const = default;
};
inline constexpr std::size_t kFingerprintBytes = 256;
// Shorter ones cannot distinguish two files, or a file from its copy.
inline constexpr std::size_t kShortestFingerprint = 64;

// FNV-1a of the first `length` bytes of `head`, of all if it is shorter.
Fingerprint fingerprint_of(std::string_view head, std::size_t length = kFingerprintBytes);

// Whether a file that begins with `head` may be the one that `print` was taken from. An empty one
// may be any.
bool is_same_beginning(const Fingerprint& print, std::string_view head);

struct Position {
  FileId id;
  std::string path;
  std::uint64_t offset = 0;  // all entries before it were given out
  Fingerprint print;
  std::string cursor = {};  // of a journal, which has no offsets; else empty
};

}  // namespace pgconn::server_log
