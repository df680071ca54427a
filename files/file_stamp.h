// What tells one version of a file from another, as the file system knows it. Any thread; waits for
// nothing but the file system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pgconn::files {

// Equal stamps mean the same file with the same size and times. A file that is changed twice within
// the clock tick of its file system (milliseconds) may keep its stamp.
struct FileStamp {
  struct Time {
    std::int64_t seconds = 0;  // Unix time
    std::int64_t nanoseconds = 0;
    bool operator==(const Time&) const = default;
  };
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  Time modified;  // its content; the file's owner can set it
  Time changed;   // its content or attributes; nobody can set it
  bool operator==(const FileStamp&) const = default;
};

// The stamp of the file behind symbolic links; nullopt, with errno, if it cannot be seen.
std::optional<FileStamp> stamp_of(const std::string& path);

}  // namespace pgconn::files
