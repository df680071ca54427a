// One target's server log by SQL alone. A coroutine on the I/O thread asks the server, round after
// round; the background thread parses what a round brought, keeps the state file, and says where
// to go on. The next round begins after that, so at most one round's bytes are in memory.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exporter/sources/log_source.h"
#include "exporter/sources/sql_log_reader.h"

namespace pgconn::exporter {

class SqlLogSource final : public LogSource {
 public:
  // All must live until it is at rest.
  SqlLogSource(Background& background, async::TimeSource& time, postgres::Connector& connector,
               std::string target, const config::Target& config);

  void start(std::chrono::milliseconds interval) override;
  void stop() override;
  bool at_rest() const override { return !is_running_; }

  // Returns after two rounds: an entry at the log's end counts once nothing has followed it.
  asio::awaitable<void> look(probes::Clock::time_point deadline) override;

 private:
  using Wanted = std::vector<server_log::Follower::Wanted>;

  asio::awaitable<void> follow();
  asio::awaitable<void> hand_over(SqlLogReader::Round round);
  std::unique_ptr<server_log::ServerLog> make_log(
      server_log::ServerLogOptions options, server_log::ServerLog::Listener listener) override;
  void take_news(server_log::ServerLog& log, bool asked) override;
  void take_round(server_log::ServerLog& log, SqlLogReader::Round round);

  async::TimeSource& time_;
  std::chrono::milliseconds interval_;
  // I/O thread.
  SqlLogReader reader_;
  asio::cancellation_signal cancel_;
  bool is_running_ = false;
  bool is_asking_ = false;     // a round is under way
  async::Event taken_;         // the background thread is done with a round
  async::Event asked_;         // somebody waits for rounds
  std::uint64_t rounds_ = 0;   // done
  std::uint64_t awaited_ = 0;  // how many somebody waits for
  // Background thread.
  server_log::RemoteStore* store_ = nullptr;  // of the log
  server_log::Follower* follower_ = nullptr;  // the same
  std::mutex mail_;                           // for the members below
  std::optional<SqlLogReader::Round> arrived_;
  Wanted wanted_;
  bool has_more_ = false;
};

}  // namespace pgconn::exporter
