// The families of drops. Constants.
#pragma once

#include "metrics/descriptor.h"

namespace pgconn::probes::families {

using metrics::counter;
using metrics::Fold;
using metrics::gauge;
using metrics::Unit;

inline constexpr auto kDrops =
    counter("pgconn_connection_drops_total",
            "Established connections of probes that were lost, by cause and SQLSTATE.",
            {"probe", "cause", "sqlstate"});
inline constexpr auto kIncidents =
    counter("pgconn_drop_incidents_total",
            "Drops that belong together, counted once; scope is all, idle_only, some or one.",
            {"cause", "scope"});
inline constexpr auto kLastDrop =
    gauge("pgconn_last_drop_timestamp_seconds", "When a connection was last lost to that cause.",
          {"cause"}, Unit::kSeconds, Fold::kMax);
}  // namespace pgconn::probes::families
