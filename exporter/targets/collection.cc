#include "exporter/targets/collection.h"

#include <algorithm>
#include <iterator>

#include "exporter/own_metrics/exporter_metrics.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;

void add_reading(const collectors::Reading& reading, int server_version, CollectionPlan& plan) {
  if (std::find(plan.readings.begin(), plan.readings.end(), &reading) != plan.readings.end()) {
    return;
  }
  if (reading.for_version(server_version)) plan.readings.push_back(&reading);
}

// Why a collector cannot run here, or nothing.
std::optional<CollectorReport> skip(const postgres::Peer& peer,
                                    const collectors::CollectorInfo& info,
                                    const CollectedReadings& collected) {
  CollectorReport report{.name = std::string(info.name), .outcome = Outcome::kSkipped};
  if (collected.server_version < info.min_version) {
    report.reason = "version";
    report.message = "needs " + std::string(peer.product) + " " +
                     postgres::version_name(info.min_version) + " or newer";
    return report;
  }
  if (!collected.visibility.has(info.need)) {
    report.reason = "privilege";
    report.message =
        "the role may not see other roles' sessions: GRANT pg_monitor (or pg_read_all_stats) to it";
    return report;
  }
  return std::nullopt;
}

Seconds last_arrival(const std::vector<const collectors::Reading*>& readings,
                     const CollectedReadings& collected) {
  Seconds last{0};
  for (const collectors::Reading* reading : readings) {
    const auto found = collected.arrivals.find(reading);
    if (found != collected.arrivals.end()) last = std::max(last, found->second);
  }
  return last;
}

CollectorReport run(const collectors::TargetKind& kind, const collectors::Collector& collector,
                    const collectors::Options& options, const CollectedReadings& collected,
                    metrics::MetricBatch& batch) {
  const collectors::CollectorInfo& info = collector.info();
  if (auto skipped = skip(kind.peer, info, collected)) return *skipped;
  CollectorReport report{.name = std::string(info.name)};
  report.duration = last_arrival(collector.readings(options), collected);
  const Clock::time_point begin = Clock::now();
  try {
    collectors::CollectorOutput output = collector.collect(
        collected.readings, {collected.server_version, collected.visibility, options,
                             collected.outdated_session, collected.login_warnings});
    batch.append(std::move(output.batch));
    report.findings = std::move(output.findings);
    report.outcome = Outcome::kSuccess;
  } catch (const postgres::PgError& error) {
    report.message = error.what();
    if (error.reason() == postgres::Reason::kPermission) {
      report.outcome = Outcome::kSkipped;
      report.reason = "privilege";
      if (!kind.grant.empty()) report.message += "; " + std::string(kind.grant) + " to the role";
    }
  } catch (const std::exception& error) {
    report.message = error.what();
  }
  report.duration += Clock::now() - begin;
  return report;
}

}  // namespace

CollectionPlan plan_collection(const collectors::TargetKind& kind,
                               const std::set<std::string>& wanted,
                               const collectors::Options& options, int server_version) {
  CollectionPlan plan;
  plan.kind = &kind;
  add_reading(kind.server, server_version, plan);
  for (const collectors::Reading* reading : kind.further) {
    add_reading(*reading, server_version, plan);
  }
  for (const collectors::Collector* collector : kind.collectors) {
    if (!wanted.contains(std::string(collector->info().name))) continue;
    plan.collectors.push_back(collector);
    if (server_version < collector->info().min_version) continue;
    for (const collectors::Reading* reading : collector->readings(options)) {
      add_reading(*reading, server_version, plan);
    }
  }
  return plan;
}

std::vector<const collectors::Reading*> each_scrape(const CollectionPlan& plan) {
  std::vector<const collectors::Reading*> readings;
  std::copy_if(plan.readings.begin(), plan.readings.end(), std::back_inserter(readings),
               [](const collectors::Reading* reading) {
                 return reading->refresh == collectors::Refresh::kEachScrape;
               });
  return readings;
}

std::vector<postgres::Query> queries_for(const std::vector<const collectors::Reading*>& readings,
                                         int server_version) {
  std::vector<postgres::Query> queries;
  for (const collectors::Reading* reading : readings) {
    const auto sql = reading->for_version(server_version);
    queries.push_back({std::string(sql.value_or("")), std::string(reading->name)});
  }
  return queries;
}

std::vector<CollectorReport> run_collectors(const CollectionPlan& plan,
                                            const collectors::Options& options,
                                            const CollectedReadings& collected,
                                            metrics::MetricBatch& batch) {
  std::vector<CollectorReport> reports;
  for (const collectors::Collector* collector : plan.collectors) {
    reports.push_back(run(*plan.kind, *collector, options, collected, batch));
  }
  return reports;
}

std::vector<CollectorReport> run_collectors(const Collected& collected,
                                            const std::set<std::string>& wanted,
                                            const collectors::Options& options,
                                            metrics::MetricBatch& batch) {
  if (collected.facts) return run_collectors(collected.plan, options, collected.readings, batch);
  std::vector<CollectorReport> reports;
  for (const std::string& name : wanted) reports.push_back({.name = name});
  return reports;
}

std::vector<collectors::Finding> findings_of(const std::vector<CollectorReport>& reports) {
  std::vector<collectors::Finding> findings;
  for (const CollectorReport& report : reports) {
    findings.insert(findings.end(), report.findings.begin(), report.findings.end());
  }
  return findings;
}

void add_reports(const std::vector<CollectorReport>& reports, metrics::MetricBatch& batch) {
  for (const CollectorReport& report : reports) {
    const bool success = report.outcome == Outcome::kSuccess;
    batch.add(families::kCollectorSuccess, success ? 1 : 0, {report.name});
    batch.add(families::kCollectorDuration, report.duration.count(), {report.name});
    if (report.outcome == Outcome::kSkipped) {
      batch.add(families::kCollectorSkipped, 1, {report.name, report.reason});
    }
  }
}

}  // namespace pgconn::exporter
