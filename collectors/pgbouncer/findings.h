// What is set wrongly in PgBouncer, why that hurts, and the lines of pgbouncer.ini that fix it.
// Pure; any thread. The table lives as long as the process.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "collectors/finding.h"
#include "collectors/pgbouncer/pooler_config.h"

namespace pgconn::collectors {

std::span<const KnownFinding> known_pooler_findings();

struct PoolerInputs {
  int version = 0;  // as PQserverVersion: 12401 is 1.24.1
  const PoolerConfig& config;
  // Idle time that the path from PgBouncer to its server is known to allow; nullopt if unknown.
  std::optional<std::chrono::milliseconds> path_idle_limit;
  // A database's server is on another host; nullopt if that is not known.
  std::optional<bool> remote_server;
};

// In the order of known_pooler_findings(). What cannot be known is not reported.
std::vector<Finding> evaluate_pooler(const PoolerInputs& inputs);

}  // namespace pgconn::collectors
