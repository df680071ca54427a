// One watched server: its collection session, held across scrapes, and what it remembers between
// them. Everything runs on the I/O thread. Must outlive the coroutines it started: stop() ends them
// quickly, and the owner waits for that (see fleet.h).
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
#include "exporter/sources/host_source.h"
#include "exporter/sources/log_source.h"
#include "exporter/targets/assemble.h"
#include "exporter/targets/collection.h"
#include "exporter/targets/collection_session.h"
#include "exporter/targets/passwords.h"
#include "exporter/targets/patience.h"
#include "exporter/targets/snapshot.h"
#include "exporter/targets/target_log.h"
#include "metrics/instruments.h"
#include "postgres/dialer.h"
#include "probes/prober.h"

namespace pgconn::exporter {

// What all targets share.
struct Commons {
  asio::any_io_executor executor;
  postgres::Resolver& resolver;
  Passwords& passwords;
  probes::CertificateRoots& roots;
  Background& background;
  host::HostPaths host_paths;
};

class Target {
 public:
  // What they share must outlive the target.
  Target(const Commons& commons, config::Target config);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  const std::string& name() const { return config_.name; }
  const config::Target& config() const { return config_; }
  // Starts the probes. Call once, on the I/O thread.
  void start();

  // The collectors that are enabled for this target.
  const std::set<std::string>& enabled() const { return enabled_; }

  // Collects once, or joins the collection under way if it runs the same collectors. Returns a
  // result within `patience` and this target's own limits: what has arrived by then, or, while a
  // collection of other collectors is still under way, only whether the server is up. Null if the
  // target was stopped meanwhile. Never throws.
  asio::awaitable<std::shared_ptr<const TargetResult>> collect(std::set<std::string> collectors,
                                                               Patience patience);

  // Ends the probes and closes the sessions; a collection under way ends at once.
  void stop();

  // After stop(): no coroutine of it runs any more, so it may be destroyed.
  bool at_rest() const;

  // What is known now.
  TargetSnapshot snapshot();

 private:
  struct Run;  // a collection that scrapes can join

  asio::awaitable<std::shared_ptr<const TargetResult>> collect_or_join(
      const std::set<std::string>& collectors, Patience patience);
  asio::awaitable<void> carry_out(Run& run);
  // `what`, a part of our own code, failed with `error` although it should not have.
  void note_internal_error(std::string_view what, std::string_view error);
  std::shared_ptr<const TargetResult> down();
  // What has arrived by now, for a scrape that cannot wait for the end of the run.
  std::shared_ptr<const TargetResult> so_far(Run& run, const std::set<std::string>& collectors);
  void note_outcome(const Collected& collected, std::chrono::steady_clock::time_point begin);
  // `asked`: when the collection that learned them began.
  void note_facts(const Collected& collected, std::chrono::steady_clock::time_point asked);
  void note_change(const collectors::ServerFacts& before, const collectors::ServerFacts& now);
  void note_probe(probes::ProbeKind probe, const postgres::PgError* error);
  std::shared_ptr<const TargetResult> result_of(metrics::MetricBatch collected,
                                                const std::vector<CollectorReport>& reports,
                                                bool up);
  std::vector<std::shared_ptr<Source>> sources() const;
  std::vector<probes::EvidenceSource*> witnesses() const;
  SessionListeners session_listeners();
  probes::ProbeListeners probe_listeners();

  asio::any_io_executor executor_;
  config::Target config_;
  const collectors::TargetKind& kind_;
  TargetSnapshot known_;  // from scrapes; snapshot() adds what the probes know
  std::optional<postgres::ConnInfo> conninfo_;  // without password; absent: the dsn is invalid
  collectors::Options options_;
  std::set<std::string> enabled_;
  TargetLog log_;
  std::shared_ptr<Run> running_;
  metrics::Instruments instruments_;
  async::SystemTime time_;
  postgres::Dialer dialer_;
  std::shared_ptr<LogSource> server_log_;  // null: not read
  std::shared_ptr<HostSource> host_;       // null: not watched
  CollectionSession session_;
  probes::Prober prober_;
  std::map<probes::ProbeKind, Trouble> probe_troubles_;
  IncidentCopies incidents_;
  std::chrono::steady_clock::time_point facts_asked_;  // when known_.facts were queried
};

}  // namespace pgconn::exporter
