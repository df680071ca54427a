// Reads one target's server log on the background thread and keeps its events for a while as
// evidence. Itself it reads local files; its relatives (sql_log_source.h) get the log elsewhere.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "config/config.h"
#include "exporter/sources/source.h"
#include "sources/server_log/server_log.h"

namespace pgconn::exporter {

// The testimony of an event; nothing if it does not say how sessions end. Pure.
std::optional<probes::Testimony> testimony_of(const server_log::Entry& entry,
                                              const server_log::Classified& classified,
                                              server_log::TimePoint now);

// Those of an incident between these times. In a shutdown each session ends with the message of an
// administrator's terminate, which then proves nothing. Pure.
std::vector<probes::Testimony> of_incident(const std::deque<probes::Testimony>& kept,
                                           server_log::TimePoint from, server_log::TimePoint until);

class LogSource : public Source {
 public:
  LogSource(Background& background, async::TimeSource& time, std::string target,
            config::ServerLog config);

  metrics::MetricBatch metrics() const override;
  void add_to(probes::Evidence& evidence, const probes::Incident& incident) const override;

 protected:
  // All on the background thread.
  const config::ServerLog& config() const { return config_; }
  virtual std::unique_ptr<server_log::ServerLog> make_log(server_log::ServerLogOptions options,
                                                          server_log::ServerLog::Listener listener);
  // Lets the log take what is new. `asked`: an incident waits for it.
  virtual void take_news(server_log::ServerLog& log, bool asked);

 private:
  void read(bool asked) override;
  bool open();
  void keep(const server_log::Entry& entry, const server_log::Classified& classified);

  std::string target_;
  config::ServerLog config_;
  std::unique_ptr<server_log::ServerLog> log_;  // opened and used on the background thread
  std::chrono::steady_clock::time_point polled_, published_;  // background thread
  mutable std::mutex mutex_;                                  // for the members below
  metrics::MetricBatch batch_;
  std::deque<probes::Testimony> kept_;  // oldest first
};

}  // namespace pgconn::exporter
