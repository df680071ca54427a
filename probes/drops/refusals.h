// How attempts at a new session fail after a loss, and how long it is worth trying. Pure; any
// thread.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "postgres/endpoint_error.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

// A cause that can be decided without waiting for a restart is decided by then, and counted within
// five seconds.
inline constexpr std::chrono::seconds kSoon(4);
// For a path that may recover.
inline constexpr std::chrono::seconds kPatience(10);

// The server is up and refuses us: it is neither stopping nor starting.
bool is_refusal_of_living(const postgres::PgError& error);

// Adds to `told` what an attempt says about the server that the lost connections led to: refusals
// by other hosts of the connection string say nothing about it. `failure`: the error of the whole
// attempt; nothing if an endpoint let us in.
void add_refusals(const std::vector<postgres::EndpointError>& turned_away,
                  const std::optional<postgres::PgError>& failure, const std::vector<Drop>& drops,
                  std::vector<postgres::PgError>& told);

// How long after the first of these drops new sessions are tried. If each was reset and none
// closed, a middlebox may be resetting everything: a server whose processes die closes idle
// connections. Only the server can show which, once it can be reached again.
std::chrono::seconds patience_after(const std::vector<Drop>& drops);

}  // namespace pgconn::probes
