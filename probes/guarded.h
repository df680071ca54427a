// The one way in which a coroutine of a probe runs on its own: it may fail, but not in silence.
// I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string_view>

#include "async/time_source.h"
#include "postgres/backoff.h"

namespace pgconn::probes {

struct Guard {
  // Hears what went wrong each time the coroutine ended by an exception.
  std::function<void(std::string_view error)> failed;
  // True once it is to end: the exception is then its cancellation.
  std::function<bool()> stopped;
};

// Runs what `make` makes. Should it end by an exception, tells and runs it again, later and later
// as `backoff` has it. Ends when a run ends by itself, or by its exception once it is stopped. All
// must outlive the coroutine.
asio::awaitable<void> run_guarded(async::TimeSource& time,
                                  std::function<asio::awaitable<void>()> make, Guard guard,
                                  postgres::Backoff backoff);

}  // namespace pgconn::probes
