// Whether a file may have changed since it was last looked at. One thread at a time; waits for
// nothing but the file system.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "files/file_stamp.h"

namespace pgconn::files {

class FileWatch {
 public:
  explicit FileWatch(std::string path) : path_(std::move(path)) { static_cast<void>(changed()); }

  // True if the file (behind symbolic links) has another stamp than at the last call. Also true for
  // a file written within the last second: its times might not show a further change.
  bool changed() {
    const std::optional<FileStamp> found = stamp_of(path_);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto written = std::chrono::seconds(found ? found->changed.seconds : 0);
    const bool fresh = now - written < std::chrono::seconds(2) && now >= written;
    const bool other = found != seen_;
    seen_ = found;
    return other || fresh;
  }

 private:
  const std::string path_;
  std::optional<FileStamp> seen_;  // nullopt: there was no file
};

}  // namespace pgconn::files
