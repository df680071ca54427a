// A simulated server watched by all probes of one target: the real Prober, ledger and held
// sessions, with a clock that need not be waited for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "metrics/instruments.h"
#include "postgres/dialer.h"
#include "probes/prober.h"
#include "tests/unit/probes/simulated_server.h"

namespace pgconn::test {

class WatchedServer {
 public:
  // Probes as configured, except the certificate probe, whose handshakes need a real peer.
  explicit WatchedServer(probes::ProbeSettings settings, unsigned seed = 1);
  ~WatchedServer();
  WatchedServer(const WatchedServer&) = delete;
  WatchedServer& operator=(const WatchedServer&) = delete;

  void pass(Clock::duration duration) { time.pass(duration); }

  // The sum of a counter over all series whose labels contain these, in any order.
  double counted(const metrics::Descriptor& family,
                 const std::vector<std::string>& labels = {}) const;
  std::map<std::string, double> drops() const;  // by cause, only those that occurred
  metrics::MetricBatch gauges() const;

 private:
  asio::io_context io_;  // outlives everything that waits on it

 public:
  FakeTime time{io_};
  SimulatedServer server;
  metrics::Instruments instruments;
  std::vector<probes::Incident> incidents;  // as they were concluded
  std::vector<probes::Incident> over;       // that went on
  std::vector<std::string> failures;        // of our own coroutines

 private:
  postgres::Resolver resolver_;
  postgres::Dialer dialer_;  // not used
  probes::CertificateRoots roots_;

 public:
  probes::Prober prober;
};

}  // namespace pgconn::test
