// The files that a pattern of the shell names now, and waiting for that to change. Any thread;
// waits for nothing but the file system.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "files/file_stamp.h"

namespace pgconn::files {

// What glob(7) finds for the pattern, in alphabetical order.
std::vector<std::string> matching_files(const std::string& pattern);

// The files of all patterns and what tells their versions apart. Equal ones: nothing has changed.
using FileVersions = std::map<std::string, FileStamp>;
FileVersions versions_of(const std::vector<std::string>& patterns);

}  // namespace pgconn::files
