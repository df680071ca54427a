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
#include "collectors/postgres/findings.h"
#include "collectors/server_facts.h"
#include "config/config.h"
#include "exporter/targets/collection.h"
#include "exporter/targets/collection_session.h"
#include "exporter/targets/patience.h"
#include "exporter/targets/target_log.h"
#include "metrics/instruments.h"
#include "postgres/dialer.h"
#include "probes/prober.h"

namespace pgconn::exporter {

// What one collection yielded. Immutable once made; shared by the scrapes that joined.
struct TargetResult {
  std::vector<std::pair<std::string, std::string>> labels;  // target=… and the static ones
  metrics::MetricBatch batch;
};

// What is known of a target without asking it, for the landing page.
struct TargetState {
  std::string name;
  std::string address;  // host:port or socket directory
  std::string database;
  bool scraped = false;  // at least once
  bool up = false;
  std::string error;   // why it is down, in words
  std::string advice;  // what to do about it, or empty
  std::optional<collectors::ServerFacts> facts;
  std::chrono::system_clock::time_point last_scrape;
  Seconds last_duration{0};
  std::vector<CollectorReport> reports;
  std::vector<collectors::Finding> findings;
};

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

  TargetState state() const;

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
  void note_findings(const std::vector<CollectorReport>& reports);
  void note_failure(const postgres::PgError& error);
  // `asked`: when the collection began that learned them.
  void note_facts(const collectors::ServerFacts& facts, int server_version,
                  std::chrono::steady_clock::time_point asked);
  void note_change(const collectors::ServerFacts& before, const collectors::ServerFacts& now);
  std::shared_ptr<const TargetResult> result_of(metrics::MetricBatch collected,
                                                const std::vector<CollectorReport>& reports,
                                                bool up);
  void add_target_info(metrics::MetricBatch& batch) const;

  asio::any_io_executor executor_;
  config::Target config_;
  collectors::Options options_;
  std::set<std::string> enabled_;
  TargetLog log_;
  std::vector<std::pair<std::string, std::string>> labels_;
  std::optional<postgres::ConnInfo> conninfo_;  // without password
  std::shared_ptr<Run> running_;
  metrics::Instruments instruments_;
  async::SystemTime time_;
  postgres::Dialer dialer_;
  CollectionSession session_;
  probes::Prober prober_;
  TargetState state_;
  std::chrono::steady_clock::time_point facts_asked_;  // when state_.facts were
};

}  // namespace pgconn::exporter
