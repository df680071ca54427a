// What a parser or a follower gave out, copied so that it can be looked at afterwards.
#pragma once

#include <string>
#include <vector>

#include "sources/server_log/entry.h"
#include "sources/server_log/parser.h"

namespace pgconn::server_log {

struct Copied {
  Severity severity;
  std::string sqlstate, user, database, backend_type, message, detail;
  bool has_user;
  std::optional<TimePoint> time;
  std::int32_t pid;
};

struct Collected {
  std::vector<Copied> entries;

  Sink sink() {
    return [this](const Entry& entry) {
      entries.push_back({entry.severity, std::string(entry.sqlstate),
                         std::string(entry.user.value_or("")),
                         std::string(entry.database.value_or("")), std::string(entry.backend_type),
                         std::string(entry.message), std::string(entry.detail),
                         entry.user.has_value(), entry.time, entry.pid});
    };
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> result;
    for (const Copied& entry : entries) result.push_back(entry.message);
    return result;
  }
};

// Feeds `text` in pieces of `piece` bytes, and finishes.
inline Collected parse(Parser& parser, std::string_view text, std::size_t piece) {
  Collected collected;
  const Sink sink = collected.sink();
  for (std::size_t at = 0; at < text.size(); at += piece) {
    parser.feed(text.substr(at, piece), sink);
  }
  parser.finish(sink);
  return collected;
}

}  // namespace pgconn::server_log
