#include "exporter/sources/source.h"

#include <asio/post.hpp>
#include <exception>

#include "exporter/log/log.h"

namespace pgconn::exporter {

Source::Source(Background& background, async::TimeSource& time)
    : background_(background), executor_(time.executor()), looked_(time) {}

void Source::start(std::chrono::milliseconds interval) {
  background_.add(weak_from_this(), interval);
}

asio::awaitable<void> Source::look(probes::Clock::time_point deadline) {
  const std::uint64_t mine = ++wanted_;
  background_.wake(*this);
  while (done_ < mine) {
    const bool looked = co_await looked_.wait_until(deadline);
    if (!looked) co_return;
  }
}

// An error of ours must not end the thread, and with it the process. Reported until a turn
// succeeds.
void Source::attempt(bool asked) {
  try {
    read(asked);
    failed_ = false;
  } catch (const std::exception& error) {
    if (!failed_) {
      log::write(log::Level::kError, "the server's log or host could not be read",
                 {{"error", error.what()}, {"do", "it is tried again; please report this line"}});
    }
    failed_ = true;
  }
}

void Source::run() {
  if (stopped_) return;
  const std::uint64_t wanted = wanted_;
  attempt(wanted > done_seen_);
  done_seen_ = wanted;
  asio::post(executor_, [weak = weak_from_this(), wanted] {
    const auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->done_ = wanted;
    self->looked_.notify();
  });
}

}  // namespace pgconn::exporter
