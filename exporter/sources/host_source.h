// Looks at the host of one target's server, if that is this machine, on the background thread.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "exporter/sources/source.h"
#include "sources/host/host_ledger.h"
#include "sources/host/host_reader.h"

namespace pgconn::exporter {

class HostSource final : public Source {
 public:
  HostSource(Background& background, async::TimeSource& time, host::HostPaths paths);

  // What the server says about itself, as of the latest scrape. Any thread.
  void learn(const host::ServerClaims& claims);

  metrics::MetricBatch metrics() const override;
  void add_to(probes::Evidence& evidence, const probes::Incident& incident) const override;

 private:
  using Date = std::chrono::system_clock::time_point;
  struct Look {
    Date at;
    host::HostReading reading;  // without its sockets
  };

  void read(bool asked) override;

  host::HostReader reader_;   // background thread
  host::HostLedger ledger_;   // background thread
  mutable std::mutex mutex_;  // for the members below
  host::ServerClaims claims_;
  bool has_claims_ = false;
  metrics::MetricBatch batch_;
  std::deque<Look> looks_;  // the latest, oldest first
};

}  // namespace pgconn::exporter
