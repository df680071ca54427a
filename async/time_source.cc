#include "async/time_source.h"

#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <system_error>

namespace pgconn::async {

asio::awaitable<void> TimeSource::sleep_until(Clock::time_point when) {
  asio::steady_timer timer(executor_);
  const asio::error_code error = co_await wait(timer, when);
  if (error) throw std::system_error(error);
}

asio::awaitable<asio::error_code> SystemTime::wait(asio::steady_timer& timer,
                                                   Clock::time_point when) {
  timer.expires_at(when);
  asio::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

}  // namespace pgconn::async
