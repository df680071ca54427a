// One collection of one target, on a session of its own: for a single request. No probes, nothing
// remembered or logged, no counters. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <optional>
#include <vector>

#include "collectors/kind.h"
#include "config/config.h"
#include "exporter/targets/assemble.h"
#include "exporter/targets/passwords.h"
#include "postgres/resolver.h"

namespace pgconn::exporter {

struct OneCollection {
  TargetResult result;  // as a scrape would return it, without counters and probes
  std::vector<CollectorReport> reports;
  std::vector<collectors::Finding> findings;
  std::optional<collectors::ServerFacts> facts;        // absent: the server did not answer
  std::optional<postgres::ConnectTimings> connecting;  // absent: it failed; `error` has the phase
  std::optional<postgres::PgError> error;              // why some answers are missing
};

// Connects, runs all collectors that are enabled for the target, and ends the session. Returns what
// has arrived by the deadline; any failure, even an invalid dsn, becomes the `error` of the result.
// `resolver` and `passwords` must outlive the call, `kind` lives as long as the process. A signal
// to `stop` ends the session at once.
asio::awaitable<OneCollection> collect_once(postgres::Resolver& resolver, Passwords& passwords,
                                            config::Target target,
                                            const collectors::TargetKind& kind,
                                            postgres::Deadline deadline,
                                            asio::cancellation_slot stop = {});

}  // namespace pgconn::exporter
