// One watched server: its collection session, held across scrapes, and what it remembers between
// them. Everything runs on the I/O thread. Must outlive the coroutines it started: stop() ends them
// quickly, the owner waits for them (see fleet.h).
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "async/time_source.h"
#include "collectors/server_facts.h"
#include "config/config.h"
#include "exporter/targets/assemble.h"
#include "exporter/targets/collection.h"
#include "exporter/targets/collection_session.h"
#include "exporter/targets/patience.h"
#include "exporter/targets/snapshot.h"
#include "exporter/targets/target_log.h"
#include "metrics/instruments.h"
#include "postgres/dialer.h"
#include "probes/prober.h"

namespace pgconn::exporter {

class Target {
 public:
  // `resolver` and `roots` must outlive the target.
  Target(asio::any_io_executor executor, postgres::Resolver& resolver,
         probes::CertificateRoots& roots, config::Target config);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  const std::string& name() const { return config_.name; }
  const config::Target& config() const { return config_; }
  // Starts the probes. Call once, on the I/O thread.
  void start();

  // The collectors that are on for this target.
  const std::set<std::string>& enabled() const { return enabled_; }

  // Collects once, or joins the collection under way if it runs the same collectors. Yields a
  // result within `patience` and this target's own limits: what has arrived by then, or, while a
  // collection of other collectors is still under way, whether the server is up. Null if the target
  // was stopped meanwhile. Never throws.
  asio::awaitable<std::shared_ptr<const TargetResult>> collect(std::set<std::string> collectors,
                                                               Patience patience);

  // Ends the probes and closes the sessions; a collection under way ends at once.
  void stop();

  // After stop(): no coroutine of it runs any more, so it may be destroyed.
  bool at_rest() const { return prober_.at_rest() && !running_; }

  // What is known now.
  TargetSnapshot snapshot();

 private:
  struct Run;  // a collection that scrapes can join

  asio::awaitable<std::shared_ptr<const TargetResult>> collect_or_join(
      const std::set<std::string>& collectors, Patience patience);
  asio::awaitable<void> carry_out(Run& run);
  // Something failed that should not have: `what` of ours, and what it said.
  void note_internal_error(std::string_view what, std::string_view error);
  std::shared_ptr<const TargetResult> down();
  // For who cannot wait for the end of a run: what has arrived by now.
  std::shared_ptr<const TargetResult> so_far(Run& run, const std::set<std::string>& collectors);
  void note_outcome(const Collected& collected, std::chrono::steady_clock::time_point begin);
  // `asked`: when the collection began that learned them.
  void note_facts(const Collected& collected, std::chrono::steady_clock::time_point asked);
  void note_change(const collectors::ServerFacts& before, const collectors::ServerFacts& now);
  void note_probe(probes::ProbeKind probe, const postgres::PgError* error);
  std::shared_ptr<const TargetResult> result_of(metrics::MetricBatch collected,
                                                const std::vector<CollectorReport>& reports,
                                                bool up);
  SessionListeners session_listeners();
  probes::ProbeListeners probe_listeners();

  asio::any_io_executor executor_;
  config::Target config_;
  const collectors::TargetKind& kind_;
  TargetSnapshot known_;  // from scrapes; snapshot() adds what the probes know
  std::optional<postgres::ConnInfo> conninfo_;  // without password; absent: the dsn is of no use
  collectors::Options options_;
  std::set<std::string> enabled_;
  TargetLog log_;
  std::shared_ptr<Run> running_;
  metrics::Instruments instruments_;
  async::SystemTime time_;
  postgres::Dialer dialer_;
  CollectionSession session_;
  std::map<probes::ProbeKind, Trouble> probe_troubles_;  // of the last run of each
  IncidentCopies incidents_;
  probes::Prober prober_;
  std::chrono::steady_clock::time_point facts_asked_;  // when known_.facts were
};

}  // namespace pgconn::exporter
