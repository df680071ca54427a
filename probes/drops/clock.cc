#include "probes/drops/clock.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

namespace pgconn::probes {

asio::awaitable<void> sleep_until(const asio::any_io_executor& executor, Clock::time_point when) {
  asio::steady_timer timer(executor, when);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace pgconn::probes
