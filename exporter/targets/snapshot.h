// What is known of a target at one moment, without querying it; for pages and other readers. A
// value that shares nothing that changes: it may be copied to any thread.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/finding.h"
#include "collectors/kind.h"
#include "collectors/server_facts.h"
#include "exporter/targets/collection.h"
#include "postgres/error.h"
#include "probes/certificates/metrics.h"
#include "probes/drops/incidents.h"
#include "probes/prober.h"

namespace pgconn::exporter {

// Why something failed, and what to do about it; both empty if it did not fail, the latter also if
// there is no advice.
struct Trouble {
  std::string error, advice;

  static Trouble of(const postgres::PgError& error);
};

struct LastScrape {
  std::chrono::system_clock::time_point at;  // when it ended
  Seconds took{0};
  bool up = false;
};

struct ProbeResult {
  bool success = false;                   // of the last run
  std::map<std::string, double> seconds;  // by phase, of the last run that reached it
  Trouble trouble = {};                   // of the last run
};

// What the idle probe has learned of the path, see IdleLadder.
struct IdleBracket {
  std::optional<std::chrono::milliseconds> longest_survived, shortest_dropped;
};

struct TargetSnapshot {
  std::string name = {};
  const collectors::TargetKind* kind = nullptr;  // lives as long as the process
  std::string address = {};                      // host:port or socket directory
  std::string database = {};

  std::optional<LastScrape> last_scrape = {};         // absent: none yet
  Trouble trouble = {};                               // of the last scrape; before one, of the dsn
  std::optional<collectors::ServerFacts> facts = {};  // as last known; absent: never
  std::vector<CollectorReport> reports = {};          // of the last scrape of all collectors,
  std::vector<collectors::Finding> findings = {};     // and what they found

  std::map<probes::ProbeKind, ProbeResult> probes = {};                 // those that have run
  std::vector<std::shared_ptr<const probes::Incident>> incidents = {};  // oldest first
  std::vector<probes::CertificateSource> certificates = {};             // the server's, then files'
  probes::TlsState tls = {};
  std::optional<IdleBracket> idle = {};  // absent: that probe is off
};

// Incidents as snapshots hold them: copied when they are new or have changed, else shared.
class IncidentCopies {
 public:
  // The copies of these, in their order. `incidents` as Prober::incidents().
  const std::vector<std::shared_ptr<const probes::Incident>>& of(
      const std::deque<probes::Incident>& incidents);

 private:
  std::vector<std::shared_ptr<const probes::Incident>> copies_;
};

// Adds what the probes know, except their incidents and why they failed.
void add_probes(const probes::Prober& prober, TargetSnapshot& snapshot);

}  // namespace pgconn::exporter
