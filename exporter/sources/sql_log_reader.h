// Asks one server for its log files, on a session of its own, one bounded round after another. The
// server logs our queries too if it is told to: a round is a few hundred bytes of log, whatever was
// read, so nothing feeds on itself. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/time_source.h"
#include "postgres/backoff.h"
#include "postgres/connector.h"
#include "sources/server_log/follower.h"
#include "sources/server_log/remote_sql.h"

namespace pgconn::exporter {

class SqlLogReader {
 public:
  // What a round brought: contents, or the reason why there are none.
  struct Round {
    std::optional<server_log::RemoteRound> contents;
    std::optional<server_log::Problem> problem;
    // With contents: what the server's lines look like.
    std::string line_prefix;
    server_log::Format format = server_log::Format::kStderr;
  };

  // Both must outlive it. `statement_timeout`: at the server; 0 keeps the server's.
  SqlLogReader(postgres::Connector& connector, async::TimeSource& time,
               std::chrono::milliseconds statement_timeout);

  // One round: the files there are, and the next pieces of those in `wanted`, the files written to
  // longest ago first. Throws PgError only when it is stopped.
  asio::awaitable<Round> ask(std::vector<server_log::Follower::Wanted> wanted);

  // A round under way ends at once.
  void close();
  // Gives the session back. Not while a round is under way.
  void release() { session_ = {}; }

 private:
  struct Known {
    std::uint64_t size = 0;
    double modified = 0;
    std::string head;
  };

  asio::awaitable<void> open(postgres::Deadline deadline);
  asio::awaitable<postgres::Rows> query(std::string sql, postgres::Deadline deadline);
  asio::awaitable<Round> attempt(const std::vector<server_log::Follower::Wanted>& wanted);
  std::vector<server_log::RemoteRange> ranges(
      const std::vector<server_log::RemoteFile>& files,
      const std::vector<server_log::Follower::Wanted>& wanted) const;
  server_log::RemoteRound together(std::vector<server_log::RemoteFile> files,
                                   const std::vector<server_log::RemoteRange>& ranges,
                                   std::vector<server_log::RemoteContents> contents);

  postgres::Connector& connector_;
  async::TimeSource& time_;
  std::chrono::milliseconds statement_timeout_;
  postgres::Session session_;
  postgres::Backoff backoff_;
  std::optional<async::Clock::time_point> failing_since_;
  std::optional<server_log::RemoteAccess> access_;
  async::Clock::time_point access_asked_{};
  std::map<std::string, Known> known_;  // by name
};

}  // namespace pgconn::exporter
