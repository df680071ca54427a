#include "sources/server_log/remote_sql.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "postgres/identifier.h"
#include "text/ascii.h"

namespace pgconn::server_log {
namespace {

using postgres::Rows;

constexpr std::string_view kRead = "pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)";

// Names of files that PostgreSQL's log_filename makes, and others like them.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
    return text::is_letter(c) || text::is_digit(c) ||
           std::string_view("-_.+@,=: ").find(c) != std::string_view::npos;
  });
}

// The value of a hexadecimal digit as PostgreSQL writes it; negative: it is none.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string decoded(std::string_view hex) {
  bool is_hex = hex.size() % 2 == 0;
  std::string bytes(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    is_hex &= high >= 0 && low >= 0;
    bytes[i] = static_cast<char>(high * 16 + low);
  }
  if (!is_hex) throw std::invalid_argument("the server's answer is not hexadecimal");
  return bytes;
}

TimePoint moved(TimePoint from, double seconds) {
  constexpr double kMost = 1e9;  // of seconds; beyond this a clock is wrong anyway
  const std::chrono::duration<double> by(std::clamp(seconds, -kMost, kMost));
  return from + std::chrono::duration_cast<TimePoint::duration>(by);
}

}  // namespace

// pg_settings shows NULL where current_setting() would fail, which the server would log.
std::string access_sql() {
  return "SELECT current_setting('logging_collector') AS collector, "
         "current_setting('log_destination') AS destination, "
         "(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'log_directory') AS directory, "
         "current_setting('log_line_prefix') AS line_prefix, "
         "current_user::text AS role, "
         "has_function_privilege('pg_catalog.pg_ls_logdir()', 'EXECUTE') AS may_list, "
         "has_function_privilege('" +
         std::string(kRead) + "', 'EXECUTE') AS may_read";
}

RemoteAccess access_of(const Rows& rows) {
  RemoteAccess access;
  access.has_collector = rows.only("collector") == "on";
  access.destination = postgres::text_or(rows.only("destination"), "");
  access.directory = postgres::text_or(rows.only("directory"), "");
  access.line_prefix = postgres::text_or(rows.only("line_prefix"), "");
  access.role = postgres::text_or(rows.only("role"), "");
  access.may_list = postgres::boolean(rows.only("may_list")).value_or(false);
  access.may_read = postgres::boolean(rows.only("may_read")).value_or(false);
  return access;
}

std::optional<Format> format_of(const RemoteAccess& access) {
  const std::string destination = text::lowered(access.destination);
  const auto names = [&destination](std::string_view word) {
    return destination.find(word) != std::string::npos;
  };
  if (names("jsonlog")) return Format::kJson;
  if (names("csvlog")) return Format::kCsv;
  if (names("stderr")) return Format::kStderr;
  return std::nullopt;
}

std::optional<Problem> obstacle_of(const RemoteAccess& access) {
  if (!access.may_list || !access.may_read || access.directory.empty()) {
    const std::string role = postgres::quoted_identifier(access.role);
    std::string grants;
    if (access.directory.empty()) grants += " GRANT pg_read_all_settings TO " + role + ";";
    if (!access.may_list) {
      grants += " GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_logdir() TO " + role + ";";
    }
    if (!access.may_read) {
      grants += " GRANT EXECUTE ON FUNCTION " + std::string(kRead) + " TO " + role + ";";
    }
    return Problem{Trouble::kDenied,
                   "the role may not read the server's log; as a superuser, in "
                   "the database that the dsn names:" +
                       grants};
  }
  if (!access.has_collector) {
    return Problem{
        Trouble::kMissing,
        "the server writes no log files that it can show: set logging_collector = on and "
        "restart it"};
  }
  if (!format_of(access)) {
    return Problem{Trouble::kMissing,
                   "the server writes no log files that it can show: its log_destination must have "
                   "jsonlog, csvlog or stderr"};
  }
  return std::nullopt;
}

std::string listing_sql() {
  return "SELECT name, size, extract(epoch FROM modification)::float8 AS modified, "
         "extract(epoch FROM clock_timestamp())::float8 AS clock "
         "FROM pg_catalog.pg_ls_logdir() ORDER BY modification DESC LIMIT " +
         std::to_string(kMostRemoteFiles);
}

std::vector<RemoteFile> files_of(const Rows& rows, Format format, TimePoint now) {
  std::vector<RemoteFile> files;
  const std::size_t name = rows.column("name");
  const std::size_t size = rows.column("size");
  const std::size_t modified = rows.column("modified");
  const std::size_t clock = rows.column("clock");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RemoteFile file;
    file.name = postgres::text_or(rows.at(i, name), "");
    if (!is_plain_name(file.name) || is_compressed(file.name)) continue;
    if (format_of(std::string_view(file.name)) != format) continue;
    const auto bytes = postgres::integer(rows.at(i, size)).value_or(0);
    file.size = bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
    file.modified = postgres::number(rows.at(i, modified)).value_or(0);
    file.written = moved(now, file.modified - postgres::number(rows.at(i, clock)).value_or(0));
    files.push_back(std::move(file));
  }
  return files;
}

// A row's columns are computed from left to right.
std::string reading_sql(const std::string& directory, const std::vector<RemoteRange>& ranges) {
  std::string values;
  for (const RemoteRange& range : ranges) {
    if (!values.empty()) values += ",";
    values += "(" + postgres::quoted_literal(range.name) + "," + std::to_string(range.offset) +
              "," + std::to_string(range.length) + ")";
  }
  const std::string path = postgres::quoted_literal(directory + "/") + " || name";
  return "SELECT name, CASE WHEN length > 0 THEN encode(pg_catalog.pg_read_binary_file(" + path +
         ", at::bigint, length::bigint, true), 'hex') END AS piece, "
         "encode(pg_catalog.pg_read_binary_file(" +
         path + ", 0, " + std::to_string(kFingerprintBytes) +
         ", true), 'hex') AS head FROM (VALUES " + values + ") AS wanted(name, at, length)";
}

std::vector<RemoteContents> contents_of(const Rows& rows) {
  std::vector<RemoteContents> all;
  const std::size_t name = rows.column("name");
  const std::size_t piece = rows.column("piece");
  const std::size_t head = rows.column("head");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows.at(i, head)) continue;
    all.push_back({std::string(postgres::text_or(rows.at(i, name), "")),
                   decoded(postgres::text_or(rows.at(i, piece), "")),
                   decoded(postgres::text_or(rows.at(i, head), ""))});
  }
  return all;
}

}  // namespace pgconn::server_log
