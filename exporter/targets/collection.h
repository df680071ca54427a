// One collection of one target, without its I/O: which readings to send, and from their answers to
// the batch. Pure; any thread.
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
#include "metrics/batch.h"
#include "postgres/connection.h"

namespace pgconn::exporter {

using Seconds = std::chrono::duration<double>;

// The collectors a scrape runs and what they read, each reading once.
struct CollectionPlan {
  std::vector<const collectors::Collector*> collectors;
  std::vector<const collectors::Reading*> readings;  // those the server is new enough for
};

// `wanted` by name; always includes those about the server. `server_version` as PQserverVersion.
CollectionPlan plan_collection(const std::set<std::string>& wanted,
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
  bool outdated_session = false;  // the server has loaded its configuration since it began
  std::vector<std::string> login_warnings;
};

// Runs every collector of the plan over the answers. What they produce goes to `batch` (a collector
// that throws adds nothing), how they fared is returned, one report for each in the plan's order.
std::vector<CollectorReport> run_collectors(const CollectionPlan& plan,
                                            const collectors::Options& options,
                                            const CollectedReadings& collected,
                                            metrics::MetricBatch& batch);

// pgconn_collector_*: success, duration and skips for every report.
void add_reports(const std::vector<CollectorReport>& reports, metrics::MetricBatch& batch);

}  // namespace pgconn::exporter
