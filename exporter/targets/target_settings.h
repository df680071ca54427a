// From a target's configuration to what the libraries below want, none of which knows the others.
// Pure but for conninfo_of; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "collectors/collector.h"
#include "config/config.h"
#include "postgres/conninfo.h"
#include "probes/prober.h"

namespace pgconn::exporter {

// The collectors that are on, by their own default or by the configuration.
std::set<std::string> enabled_collectors(const config::Collectors& config);

collectors::Options options_of(const config::Target& config);

// The same with what the idle probe has measured of the path: the shorter limit counts.
collectors::Options with_measured(collectors::Options options,
                                  std::optional<std::chrono::milliseconds> path_idle_limit);

probes::ProbeSettings probe_settings(const config::Target& target);

// Where and as whom to connect. Reads the password file, so call it anew for each session. Throws
// PgError(kConfig).
postgres::ConnInfo conninfo_of(const config::Target& target);

}  // namespace pgconn::exporter
