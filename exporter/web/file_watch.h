// Whether a file may have changed since the last check. One thread at a time; waits only for the
// file system.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace pgconn::exporter {

class FileWatch {
 public:
  explicit FileWatch(std::string path) : path_(std::move(path)) { static_cast<void>(changed()); }

  // True if the file (behind symbolic links) is a different one, or its size or times differ from
  // the last call. Also true for a file written within the last second: its times could not show a
  // further change.
  bool changed() {
    struct ::stat status{};
    std::vector<long long> found;
    bool fresh = false;
    if (::stat(path_.c_str(), &status) == 0) {
      found = {
          static_cast<long long>(status.st_dev),          static_cast<long long>(status.st_ino),
          static_cast<long long>(status.st_size),         status.st_mtim.tv_sec,
          static_cast<long long>(status.st_mtim.tv_nsec), status.st_ctim.tv_sec,
          static_cast<long long>(status.st_ctim.tv_nsec)};
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      const auto written = std::chrono::seconds(status.st_ctim.tv_sec);
      fresh = now - written < std::chrono::seconds(2) && now >= written;
    }
    const bool other = found != seen_;
    seen_ = std::move(found);
    return other || fresh;
  }

 private:
  const std::string path_;
  std::vector<long long> seen_;  // empty: there was no file
};

}  // namespace pgconn::exporter
