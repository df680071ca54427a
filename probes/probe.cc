#include "probes/probe.h"

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

namespace pgconn::probes {

std::chrono::milliseconds splay(const std::string& target, ProbeKind probe,
                                std::chrono::milliseconds interval) {
  if (interval.count() <= 0) return std::chrono::milliseconds(0);
  const std::string key = target + "/" + std::string(to_string(probe));
  const auto spread = std::hash<std::string>()(key) % static_cast<std::size_t>(interval.count());
  return std::chrono::milliseconds(spread);
}

Clock::time_point next_run(Clock::time_point start, std::chrono::milliseconds interval,
                           Clock::time_point now) {
  if (now < start) return start;
  return start + ((now - start) / interval + 1) * interval;
}

asio::awaitable<void> sleep_until(const asio::any_io_executor& executor, Clock::time_point when) {
  asio::steady_timer timer(executor, when);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace pgconn::probes
