// What the pages about incidents share: times in words and where each incident's page is. Pure; any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "exporter/targets/snapshot.h"

namespace pgconn::exporter {

// In UTC, to the millisecond: "2026-11-30T08:24:34.012Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

// "/incidents/TARGET/NUMBER"
std::string incident_path(const probes::Incident& incident);

// Of all these targets.
std::vector<std::shared_ptr<const probes::Incident>> newest_first(
    const std::vector<const TargetSnapshot*>& targets);

// For a path or the value of a query parameter.
std::string percent_encoded(std::string_view text);

}  // namespace pgconn::exporter
