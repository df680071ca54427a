#include "files/file_stamp.h"

#include <sys/stat.h>

namespace pgconn::files {

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct ::stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{status.st_dev,
                   status.st_ino,
                   status.st_size,
                   {status.st_mtim.tv_sec, status.st_mtim.tv_nsec},
                   {status.st_ctim.tv_sec, status.st_ctim.tv_nsec}};
}

}  // namespace pgconn::files
