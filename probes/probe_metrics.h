// The families of probes and drops. Constants.
#pragma once

#include <array>

#include "metrics/descriptor.h"
#include "probes/drops/drop_metrics.h"

namespace pgconn::probes::families {

using metrics::counter;
using metrics::Fold;
using metrics::gauge;
using metrics::histogram;
using metrics::Unit;

inline constexpr auto kSuccess =
    gauge("pgconn_probe_success", "1 if the probe's last run succeeded, 0 if it failed.", {"probe"},
          Unit::kNone, Fold::kMin);
inline constexpr auto kAttempts =
    counter("pgconn_probe_attempts_total", "Runs of the probe that were begun.", {"probe"});
inline constexpr auto kFailures = counter(
    "pgconn_probe_failures_total",
    "Runs of the probe that failed, by the phase they failed in, the reason and the SQLSTATE.",
    {"probe", "phase", "reason", "sqlstate"});
inline constexpr auto kDuration = histogram(
    "pgconn_probe_duration_seconds",
    "How long the phases of the probe's runs took: resolve, tcp, tls, startup, query, total.",
    {"probe", "phase"});
inline constexpr auto kLastDuration =
    gauge("pgconn_probe_last_duration_seconds", "The same of the last run that got that far.",
          {"probe", "phase"}, Unit::kSeconds, Fold::kMax);
inline constexpr auto kHeld =
    gauge("pgconn_held_connections", "Connections that the probe holds open.", {"probe"});
inline constexpr auto kIdleSurvived =
    gauge("pgconn_idle_survived_seconds",
          "The longest silence after which a canary connection still answered.", {}, Unit::kSeconds,
          Fold::kMax);
inline constexpr auto kIdleDropped =
    gauge("pgconn_idle_dropped_seconds",
          "The shortest silence after which the path had forgotten a canary connection.", {},
          Unit::kSeconds, Fold::kMin);
inline constexpr auto kCanaryResults =
    counter("pgconn_idle_canary_results_total",
            "Silences tried by canary connections, by rung of the ladder in seconds and result: "
            "survived, dropped, or inconclusive where the loss was not the path's doing.",
            {"rung", "result"});
inline constexpr auto kPathLimit =
    gauge("pgconn_path_idle_limit_seconds",
          "The silence the network path allows: configured, or measured (the longest that survived "
          "below one that did not).",
          {"source"}, Unit::kSeconds, Fold::kMin);

inline constexpr std::array<const metrics::Descriptor*, 13> kAll = {
    &kSuccess,   &kAttempts, &kFailures,     &kDuration,    &kLastDuration,  &kHeld,     &kDrops,
    &kIncidents, &kLastDrop, &kIdleSurvived, &kIdleDropped, &kCanaryResults, &kPathLimit};

}  // namespace pgconn::probes::families
