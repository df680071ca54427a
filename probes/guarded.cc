#include "probes/guarded.h"

#include <exception>
#include <optional>
#include <string>

#include "probes/drops/clock.h"

namespace pgconn::probes {

asio::awaitable<void> run_guarded(asio::any_io_executor executor,
                                  std::function<asio::awaitable<void>()> make, Guard guard,
                                  postgres::Backoff backoff) {
  for (;;) {
    std::optional<std::string> error;
    try {
      co_await make();
    } catch (const std::exception& thrown) {
      if (guard.stopped()) throw;
      error = thrown.what();
    }
    if (!error) co_return;
    guard.failed(*error);
    backoff.failed(Clock::now(), postgres::dice());
    co_await sleep_until(executor, backoff.next_try());
  }
}

}  // namespace pgconn::probes
