// One collection of one target, without its I/O: which readings to send, and how answers become
// samples and reports. Pure; any thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "collectors/kind.h"
#include "collectors/server_facts.h"
#include "metrics/batch.h"
#include "postgres/connection.h"

namespace pgconn::exporter {

using Seconds = std::chrono::duration<double>;

// The collectors that a scrape runs and their readings, each reading once.
struct CollectionPlan {
  const collectors::TargetKind* kind = nullptr;  // null: nothing has been planned yet
  std::vector<const collectors::Collector*> collectors;
  std::vector<const collectors::Reading*> readings;  // those that the server is new enough for
};

// `wanted` by name; what the kind always asks is included in any case. `server_version` as
// PQserverVersion.
CollectionPlan plan_collection(const collectors::TargetKind& kind,
                               const std::set<std::string>& wanted,
                               const collectors::Options& options, int server_version);

// The readings that have to be sent with every scrape.
std::vector<const collectors::Reading*> each_scrape(const CollectionPlan& plan);

// One query for each reading, in that order.
std::vector<postgres::Query> queries_for(const std::vector<const collectors::Reading*>& readings,
                                         int server_version);

enum class Outcome { kSuccess, kFailed, kSkipped };

struct CollectorReport {
  std::string name;
  Outcome outcome = Outcome::kFailed;
  std::string reason = {};   // of a skip: version, privilege
  std::string message = {};  // for people: the error, or the missing grant
  Seconds duration{0};
  std::vector<collectors::Finding> findings = {};  // of a success
};

struct CollectedReadings {
  collectors::Readings readings;
  // When each answer came, counted from sending; readings without an answer are absent.
  std::map<const collectors::Reading*, Seconds> arrivals;
  int server_version = 0;
  collectors::Visibility visibility;
  bool outdated_session = false;  // the server has reloaded its configuration since it began
  std::vector<std::string> login_warnings;
};

// Readings that were sent together. Their answers come in the same order.
struct Asking {
  std::vector<const collectors::Reading*> readings;
  std::chrono::steady_clock::time_point sent;
  std::vector<postgres::Answer> answers;
  std::vector<std::chrono::steady_clock::time_point> arrivals;
  std::size_t taken = 0;  // answers that are among the collected readings
};

// What a collection has learned so far.
struct Collected {
  CollectionPlan plan;
  CollectedReadings readings;
  std::optional<collectors::ServerFacts> facts;       // the server answered
  std::optional<postgres::PgError> error;             // why it did not answer everything
  std::optional<postgres::ConnectTimings> connected;  // where it began with a new session
  Asking asking;                                      // the latest
};

// Runs every collector of the plan over the answers. What they produce goes to `batch` (a collector
// that throws adds nothing), how they fared is returned, one report for each in the plan's order.
std::vector<CollectorReport> run_collectors(const CollectionPlan& plan,
                                            const collectors::Options& options,
                                            const CollectedReadings& collected,
                                            metrics::MetricBatch& batch);

// The same for a whole collection; if the server did not answer, each of `wanted` has failed.
std::vector<CollectorReport> run_collectors(const Collected& collected,
                                            const std::set<std::string>& wanted,
                                            const collectors::Options& options,
                                            metrics::MetricBatch& batch);

// All that the collectors found.
std::vector<collectors::Finding> findings_of(const std::vector<CollectorReport>& reports);

// pgconn_collector_*: success, duration and skips for every report.
void add_reports(const std::vector<CollectorReport>& reports, metrics::MetricBatch& batch);

}  // namespace pgconn::exporter
