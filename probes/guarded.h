// How every detached coroutine of a probe runs: it may fail, but never silently.
// I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string_view>

#include "async/time_source.h"
#include "postgres/backoff.h"

namespace pgconn::probes {

struct Guard {
  // Called with the error each time the coroutine ended by an exception.
  std::function<void(std::string_view error)> failed;
  // True once it is to end: an exception is then its cancellation.
  std::function<bool()> stopped;
};

// Runs the coroutine that `make` returns. If it ends by an exception, reports it and runs another,
// with growing waits as `backoff` says. Ends when a run ends normally, or by an exception after the
// stop. All must outlive the coroutine.
asio::awaitable<void> run_guarded(async::TimeSource& time,
                                  std::function<asio::awaitable<void>()> make, Guard guard,
                                  postgres::Backoff backoff);

}  // namespace pgconn::probes
