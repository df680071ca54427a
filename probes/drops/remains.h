// What a server keeps of connections that a path lost in silence: it waits for a client that will
// never speak again, two hours by default, and each such session takes a slot. Canaries lose
// connections on purpose, so they clear away what is left of them. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <span>
#include <string>

#include "postgres/dialer.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

// The server may still keep a session for it: it was not the one that ended it (it would have said
// so), and its process is known. Pure.
bool leaves_remains(const Drop& drop);

// The SQL that ends the session a drop has left, or empty if there are no remains. Ends nothing but
// a session of our own role and kind that began when the lost one did. pg_stat_activity, 13 and
// later. Pure.
std::string end_of_remains(const Drop& drop, std::chrono::steady_clock::time_point now);

// Does so for each, on one session of its own; nothing is said of what could not be ended. Whether
// the server was reached. Throws PgError only when it is stopped.
asio::awaitable<bool> end_remains(postgres::Dialer& dialer, std::span<const Drop> drops,
                                  postgres::Deadline deadline);

}  // namespace pgconn::probes
