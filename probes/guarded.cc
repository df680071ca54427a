#include "probes/guarded.h"

#include <exception>
#include <optional>
#include <string>

namespace pgconn::probes {

asio::awaitable<void> run_guarded(async::TimeSource& time,
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
    backoff.failed(time.now(), postgres::dice());
    co_await time.sleep_until(backoff.next_try());
  }
}

}  // namespace pgconn::probes
