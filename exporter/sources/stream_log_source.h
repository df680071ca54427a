// One target's server log from a stream: standard input, or systemd's journal. The I/O thread only
// waits until there is something to read, and then gives the background thread a turn.
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "exporter/sources/log_source.h"

namespace pgconn::exporter {

class StreamLogSource final : public LogSource {
 public:
  using LogSource::LogSource;

  void stop() override;

 private:
  std::unique_ptr<server_log::ServerLog> make_log(
      server_log::ServerLogOptions options, server_log::ServerLog::Listener listener) override;
  void take_news(server_log::ServerLog& log, bool asked) override;
  void wait_for_more();
  void watch(int descriptor);

  std::function<int()> descriptor_;  // to wait for; -1: none. Background thread.
  std::optional<asio::posix::stream_descriptor> watched_;  // I/O thread
};

}  // namespace pgconn::exporter
