// Which log files there are now. Reads directories; keeps nothing. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sources/server_log/entry.h"
#include "sources/server_log/position.h"

namespace pgconn::server_log {

struct Listed {
  std::string path;
  std::uint64_t size = 0;
  TimePoint written{};
};
using Listing = std::map<FileId, Listed>;

// Adds the regular files that `pattern` (see glob(7)) finds, except those whose names end like
// compressed files. A file with several names is listed once. Returns whether any was found.
bool list_logs(const std::string& pattern, Listing& listing);

}  // namespace pgconn::server_log
