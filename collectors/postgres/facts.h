// What PostgreSQL's answers tell about the server. Pure; any thread.
#pragma once

#include <optional>

#include "collectors/collector.h"
#include "collectors/server_facts.h"

namespace pgconn::collectors {

// From server_reading() and, as far as they are there, identity_reading() and activity_reading(),
// where crash_restart_time comes from. nullopt if the server reading failed or did not arrive.
std::optional<ServerFacts> facts(const Readings& readings, const Options& options);

}  // namespace pgconn::collectors
