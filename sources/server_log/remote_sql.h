// The SQL with which a server shows its log files, PostgreSQL 13 and later, and the reading of its
// answers. Needed are pg_ls_logdir(), which pg_monitor may call, and pg_read_binary_file() with
// four arguments, which must be granted. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/rows.h"
#include "sources/server_log/input.h"
#include "sources/server_log/parser.h"
#include "sources/server_log/remote_store.h"

namespace pgconn::server_log {

// What the server's settings and our rights say. Setting names as in postgresql.conf.
struct RemoteAccess {
  bool has_collector = false;  // logging_collector
  std::string destination;     // log_destination
  std::string directory;       // log_directory; empty: not visible to us
  std::string line_prefix;     // log_line_prefix
  std::string role;            // ours
  bool may_list = false;
  bool may_read = false;
};

// Never logged as an error by the server, whatever our rights are.
std::string access_sql();
RemoteAccess access_of(const postgres::Rows& rows);

// The best format that `access.destination` names; nothing if it names none that is in files.
std::optional<Format> format_of(const RemoteAccess& access);

// What keeps us from reading the log, with the fix; nothing if nothing does.
std::optional<Problem> obstacle_of(const RemoteAccess& access);

// The newest files, at most kMostRemoteFiles. pg_ls_logdir().
inline constexpr std::size_t kMostRemoteFiles = 200;
std::string listing_sql();
// Those of the format whose names need no care. `now`: when it was asked. Without heads.
std::vector<RemoteFile> files_of(const postgres::Rows& rows, Format format, TimePoint now);

struct RemoteRange {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // 0: only the head is of interest
};
// One row per file: a piece first, then the beginning of the file.
std::string reading_sql(const std::string& directory, const std::vector<RemoteRange>& ranges);
struct RemoteContents {
  std::string name;
  std::string piece;
  std::string head;
};
// Files that are gone by now are left out. Throws std::invalid_argument if the answer is not
// hexadecimal.
std::vector<RemoteContents> contents_of(const postgres::Rows& rows);

}  // namespace pgconn::server_log
