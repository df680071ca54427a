#include "files/matching_files.h"

#include <glob.h>

#include <cstddef>

namespace pgconn::files {

std::vector<std::string> matching_files(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

FileVersions versions_of(const std::vector<std::string>& patterns) {
  FileVersions versions;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : matching_files(pattern)) {
      versions[path] = stamp_of(path).value_or(FileStamp{});  // a link to nothing counts, too
    }
  }
  return versions;
}

}  // namespace pgconn::files
