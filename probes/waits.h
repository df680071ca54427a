// The waits probe, for a pooler: one connection to its console that is held and asked who waits for
// a server, several times a second, so that a queue between two scrapes is seen. I/O thread only.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "postgres/rows.h"
#include "probes/clockwork.h"

namespace pgconn::probes {

struct WaitsSettings {
  Pace pace{false, std::chrono::milliseconds(250), std::chrono::seconds(2)};
  std::string sql;  // the one cheap command
  // Gets each answer. Throws std::exception if it is not one that the peer gives.
  std::function<void(const postgres::Rows&)> observe;
};

// Runs until its coroutine is cancelled.
asio::awaitable<void> run_waits_probe(ProbeContext& context, WaitsSettings settings);

}  // namespace pgconn::probes
