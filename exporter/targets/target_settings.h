// Turns a target's configuration into the settings of the libraries below, which do not know each
// other. Pure, except conninfo_of; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "collectors/collector.h"
#include "collectors/kind.h"
#include "config/config.h"
#include "postgres/conninfo.h"
#include "probes/prober.h"

namespace pgconn::exporter {

// What kind of target it is.
const collectors::TargetKind& kind_of(const config::Target& target);

// The collectors of this kind that are enabled, by default or by the configuration.
std::set<std::string> enabled_collectors(const collectors::TargetKind& kind,
                                         const config::Collectors& config);

// `conninfo`: where the target is; nullopt if its dsn is invalid.
collectors::Options options_of(const config::Target& config,
                               const std::optional<postgres::ConnInfo>& conninfo = std::nullopt);

// The same with what the idle probe has measured of the path: the shorter limit counts.
collectors::Options with_measured(collectors::Options options,
                                  std::optional<std::chrono::milliseconds> path_idle_limit);

probes::ProbeSettings probe_settings(const config::Target& target);

// Where a target is, without its password. nullopt if its dsn is invalid; `refused` then says why.
std::optional<postgres::ConnInfo> place_of(const config::Target& target, std::string& refused);

// Where and as whom to connect, but for the answer of a password command (see passwords.h). Reads
// the password file, so call it again for each session. Throws
// PgError(kConfig).
postgres::ConnInfo conninfo_of(const config::Target& target);

}  // namespace pgconn::exporter
