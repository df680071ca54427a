// What PgBouncer says to a client before it closes the connection. Internal to attribution. Pure;
// any thread.
#pragma once

#include <optional>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

// kPoolerClose or kPoolerServerLost if the error contains PgBouncer's own message (1.18 to 1.26).
std::optional<Cause> cause_in_pooler_words(const postgres::PgError& error);

}  // namespace pgconn::probes
