// What attempts at a new session are told after a loss, and how long it is worth waiting for more.
// Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "postgres/endpoint_error.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

// A cause that can be told without waiting for a restart is told by then, and counted within five
// seconds.
inline constexpr std::chrono::seconds kSoon(4);
// For a path that may heal.
inline constexpr std::chrono::seconds kPatience(10);

// The server is there and turns us away: it neither stops nor starts.
bool is_refusal_of_living(const postgres::PgError& error);

// Adds to `told` what an attempt says of the server that the lost connections led to: that others
// of the connection string refuse is no news of it. `failure`: what the whole attempt ended with;
// nothing if an endpoint took us.
void add_refusals(const std::vector<postgres::EndpointError>& turned_away,
                  const std::optional<postgres::PgError>& failure, const std::vector<Drop>& drops,
                  std::vector<postgres::PgError>& told);

// How long after the first of these drops new sessions are tried. Where each was reset and none
// closed, it may be somebody in between who resets whatever he sees: a server whose processes die
// closes what is idle. Only the server tells, once it can be reached again.
std::chrono::seconds patience_after(const std::vector<Drop>& drops);

}  // namespace pgconn::probes
