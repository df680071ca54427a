// Where each incident's page is. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/targets/snapshot.h"

namespace pgconn::exporter {

// "/incidents/TARGET/NUMBER"
std::string incident_path(const probes::Incident& incident);

// Of all these targets.
std::vector<std::shared_ptr<const probes::Incident>> newest_first(
    const std::vector<const TargetSnapshot*>& targets);

// For a path or the value of a query parameter.
std::string percent_encoded(std::string_view text);

}  // namespace pgconn::exporter
