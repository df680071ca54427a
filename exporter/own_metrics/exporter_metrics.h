// The families the exporter itself adds around what collectors produce. Constants.
#pragma once

#include <span>

#include "metrics/descriptor.h"

namespace pgconn::exporter {

namespace families {

using metrics::counter;
using metrics::Fold;
using metrics::gauge;
using metrics::histogram;
using metrics::info;
using metrics::Unit;

// Target
inline constexpr auto kUp =
    gauge("pgconn_up", "1 if the collection session answered in this scrape, 0 if not.");
inline constexpr auto kTargetInfo =
    info("pgconn_target_info", "What the target is: where it is, what runs there, in which role.",
         {"host", "port", "database", "kind", "server_version", "role"});
inline constexpr auto kCollectorSuccess = gauge(
    "pgconn_collector_success",
    "1 if the collector delivered in this scrape, 0 if it failed or was skipped.", {"collector"});
inline constexpr auto kCollectorDuration =
    gauge("pgconn_collector_duration_seconds",
          "Time from sending the scrape's queries to the last answer this collector needs, and "
          "its own work; 0 if it did not run.",
          {"collector"}, Unit::kSeconds, Fold::kMax);
inline constexpr auto kCollectorSkipped =
    gauge("pgconn_collector_skipped",
          "1 for a collector that was left out, by reason: version, privilege or kind.",
          {"collector", "reason"});
inline constexpr auto kScrapeErrors = counter(
    "pgconn_scrape_errors_total",
    "Failures of the collection session and of single queries in it, by reason and SQLSTATE.",
    {"reason", "sqlstate"});
inline constexpr auto kServerRestarts = counter(
    "pgconn_server_restarts_total",
    "Restarts of the server seen by this exporter: clean (a new postmaster) or crash (the same "
    "postmaster started over after a backend died).",
    {"kind"});
inline constexpr auto kServerMoves =
    counter("pgconn_server_moves_total",
            "Times that a different server answered than before: a failover, or a name or address "
            "that leads elsewhere. That is no restart, whenever that server started.");
inline constexpr auto kConnections = gauge(
    "pgconn_exporter_connections", "Connections this exporter has to the target.", {"purpose"});
inline constexpr auto kConnectionsMax =
    gauge("pgconn_exporter_connections_max",
          "The most connections this exporter may have to the target at the same time: "
          "max_connections_per_target.");
inline constexpr auto kCappedSeries =
    gauge("pgconn_exporter_capped_series",
          "Series of a metric that were folded into `other` (counters: left out) because there "
          "were more than max_series_per_metric.",
          {"metric"});
inline constexpr auto kInternalErrors =
    counter("pgconn_exporter_internal_errors_total",
            "Internal failures that the exporter should have handled; the log has each.");
inline constexpr auto kRepairedValues =
    counter("pgconn_exporter_repaired_label_values_total",
            "Label values that were not valid UTF-8 and were repaired.");

// Exporter
inline constexpr auto kBuildInfo =
    info("pgconn_exporter_build_info", "Versions of this program and of its libraries.",
         {"version", "revision", "libpq", "openssl"});
inline constexpr auto kTargets = gauge("pgconn_exporter_targets", "Configured targets.");
inline constexpr auto kReloadSuccessful =
    gauge("pgconn_exporter_config_last_reload_successful",
          "1 if the configuration was accepted when it was last read, 0 if not.");
inline constexpr auto kReloadTime =
    gauge("pgconn_exporter_config_last_reload_success_timestamp_seconds",
          "Unix time at which a configuration was last accepted.", {}, Unit::kSeconds, Fold::kMax);
inline constexpr auto kHttpRequests =
    counter("pgconn_exporter_http_requests_total",
            "HTTP requests answered, by path (`other` is any unknown one) and status code.",
            {"path", "code"});
inline constexpr auto kScrapeDuration =
    histogram("pgconn_exporter_scrape_duration_seconds",
              "How long whole scrapes of /metrics took, from request to batch.");
inline constexpr auto kWedgedLogins =
    gauge("pgconn_exporter_login_threads_wedged",
          "Threads still computing for a login that was given up; libpq cannot be interrupted.");
inline constexpr auto kLogLinesDropped =
    counter("pgconn_exporter_log_lines_dropped_total",
            "Log lines that were dropped because nobody read standard error fast enough.");

}  // namespace families

// In the order docs/metrics.md lists them. They live as long as the process.
std::span<const metrics::Descriptor* const> target_families();
std::span<const metrics::Descriptor* const> exporter_families();

}  // namespace pgconn::exporter
