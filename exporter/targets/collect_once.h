// One collection of one target, on a session of its own: for whoever asks once and does not come
// back. No probes, nothing remembered or logged, no counters. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "collectors/kind.h"
#include "config/config.h"
#include "exporter/targets/assemble.h"
#include "postgres/resolver.h"

namespace pgconn::exporter {

struct OneCollection {
  TargetResult result;  // as a scrape of the target would have it, but for counters and probes
  std::vector<CollectorReport> reports;
  std::vector<collectors::Finding> findings;
  std::optional<collectors::ServerFacts> facts;        // absent: the server did not answer
  std::optional<postgres::ConnectTimings> connecting;  // absent: it failed; `error` has the phase
  std::optional<postgres::PgError> error;              // why not everything was answered
};

// Connects, has all collectors that are on for the target run, and ends the session. Yields what
// has arrived by the deadline; whatever the server does, or the dsn is, becomes the `error` of the
// result. `resolver` must outlive the call, `kind` lives as long as the process.
asio::awaitable<OneCollection> collect_once(postgres::Resolver& resolver, config::Target target,
                                            const collectors::TargetKind& kind,
                                            postgres::Deadline deadline);

}  // namespace pgconn::exporter
