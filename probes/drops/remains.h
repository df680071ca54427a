// Sessions that a server keeps after the path has silently lost their connections: it waits, two
// hours by default, for a client that will never speak again, and each such session takes a slot.
// Canaries lose connections on purpose, so their leftovers are cleared away. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <string>
#include <vector>

#include "async/time_source.h"
#include "postgres/connector.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

// The server may still keep a session for it: the server did not end it (it would have said so),
// and its process is known. Pure.
bool leaves_remains(const Drop& drop);

// The SQL that ends the session a drop has left, or empty if there are no remains. Ends nothing but
// a session of our own role and kind that began when the lost one did. pg_stat_activity, 13 and
// later. Pure.
std::string end_of_remains(const Drop& drop, Clock::time_point now);

// The sessions of one target that are still to be ended.
class Remains {
 public:
  // Both must outlive it.
  Remains(postgres::Connector& connector, async::TimeSource& time)
      : connector_(connector), time_(time) {}

  // Notes a loss; keeps at most a thousand.
  void add(const Drop& drop);
  bool empty() const { return drops_.empty(); }

  // Ends them, over one session of its own; failures to end one are not reported. They are kept if
  // the server cannot be reached. Throws PgError only when it is stopped.
  asio::awaitable<void> clear(postgres::Deadline deadline);

 private:
  asio::awaitable<bool> end(const std::vector<Drop>& drops, postgres::Deadline deadline);

  postgres::Connector& connector_;
  async::TimeSource& time_;
  std::vector<Drop> drops_;
};

}  // namespace pgconn::probes
