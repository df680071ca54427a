// Where log files are: in directories of this machine (LocalStore), or at a server that shows its
// own by SQL (RemoteStore). One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/server_log/entry.h"
#include "sources/server_log/position.h"

namespace pgconn::server_log {

struct Listed {
  std::string path;
  std::uint64_t size = 0;
  TimePoint written{};
};
using Listing = std::map<FileId, Listed>;

// What a rotation has compressed: never followed.
inline bool is_compressed(std::string_view path) {
  constexpr std::array<std::string_view, 6> kSuffixes = {".gz", ".zst", ".bz2",
                                                         ".xz", ".lz4", ".Z"};
  return std::ranges::any_of(kSuffixes, [path](auto suffix) { return path.ends_with(suffix); });
}

// An open file. It must not outlive its store.
class LogHandle {
 public:
  LogHandle() = default;
  LogHandle(const LogHandle&) = delete;
  LogHandle& operator=(const LogHandle&) = delete;
  virtual ~LogHandle() = default;

  // As pread(2): 0 if there is nothing more, or not yet; negative, with errno, if it fails.
  virtual std::int64_t read(char* to, std::size_t most, std::uint64_t offset) = 0;
  // Nothing if the file is gone, so that no more of it can be read here.
  virtual std::optional<std::uint64_t> size() const = 0;
  // The first bytes, at most kFingerprintBytes. Also empty if they cannot be read.
  virtual std::string head() const = 0;
};

// Whether something was found where log files should be.
struct Search {
  std::string where;  // identifies the place
  bool found = false;
  std::string advice;  // for an operator, if nothing was found
};

class LogStore {
 public:
  LogStore() = default;
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;
  virtual ~LogStore() = default;

  // Adds the files there are now.
  virtual std::vector<Search> list(Listing& listing) = 0;
  // Opens for reading. Null, with errno, if that fails; ENOENT if the path is another file's now.
  virtual std::unique_ptr<LogHandle> open(const std::string& path, FileId id) = 0;
  // How a file begins; nothing if it cannot be read.
  virtual std::optional<std::string> head_at(const std::string& path) const = 0;
};

}  // namespace pgconn::server_log
