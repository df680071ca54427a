// The clock of probes and drops, and waiting by it. I/O thread only.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>

namespace pgconn::probes {

using Clock = std::chrono::steady_clock;

// Waits; ends early only by cancellation of the coroutine (std::system_error). `executor` must
// outlive the wait.
asio::awaitable<void> sleep_until(const asio::any_io_executor& executor, Clock::time_point when);

}  // namespace pgconn::probes
