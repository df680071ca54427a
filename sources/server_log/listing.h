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

// Adds the regular files that `pattern` finds, as glob(7) takes it, but those whose names end as
// compressed files' do. One that several names lead to is there once. Returns whether any was
// found.
bool list_logs(const std::string& pattern, Listing& listing);

}  // namespace pgconn::server_log
