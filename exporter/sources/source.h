// What the server's log and its host have in common: they are read on the background thread,
// regularly and when an incident asks; metrics and testimonies are passed to the I/O thread.
#pragma once

#include <asio/awaitable.hpp>
#include <atomic>
#include <cstdint>
#include <memory>

#include "async/event.h"
#include "exporter/sources/background.h"
#include "metrics/batch.h"
#include "probes/drops/evidence_source.h"

namespace pgconn::exporter {

class Source : public Background::Job,
               public probes::EvidenceSource,
               public std::enable_shared_from_this<Source> {
 public:
  // Both must live for as long as anybody waits in look(). Held by std::shared_ptr.
  Source(Background& background, async::TimeSource& time);

  // Begins to read. Call once, on the I/O thread.
  virtual void start(std::chrono::milliseconds interval);
  // No more reads; a turn under way ends by itself. I/O thread.
  virtual void stop() { stopped_ = true; }
  // After stop(): no coroutine of it runs any more. I/O thread.
  virtual bool at_rest() const { return true; }

  // I/O thread. metrics() and add_to() show the result.
  asio::awaitable<void> look(probes::Clock::time_point deadline) override;

  // Asks for a turn that makes metrics() current; returns a ticket for it. I/O thread.
  std::uint64_t want_metrics();
  // Returns after that turn, or at the deadline. I/O thread.
  asio::awaitable<void> wait_for(std::uint64_t ticket, probes::Clock::time_point deadline);

  // As of the latest turn that was asked for, or a later one. Any thread.
  virtual metrics::MetricBatch metrics() const = 0;

 protected:
  bool is_stopped() const { return stopped_; }
  // Whether want_metrics() was called since this was. Background thread.
  bool take_metrics_wanted() { return metrics_wanted_.exchange(false); }
  // Gives it a turn soon. Any thread.
  void wake() { background_.wake(*this); }
  const asio::any_io_executor& executor() const { return executor_; }

 private:
  void run() final;
  void attempt(bool asked);
  // One turn, on the background thread. `asked`: somebody waits for it.
  virtual void read(bool asked) = 0;

  Background& background_;
  asio::any_io_executor executor_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> look_wanted_{false};
  std::atomic<bool> metrics_wanted_{false};
  std::atomic<std::uint64_t> wanted_{0};  // turns that were asked for
  bool failed_ = false;                   // the latest turn; background thread
  std::uint64_t done_ = 0;                // how many are done; I/O thread
  async::Event looked_;
};

}  // namespace pgconn::exporter
