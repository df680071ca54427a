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

std::uint64_t Source::want_metrics() {
  metrics_wanted_ = true;
  const std::uint64_t ticket = ++wanted_;
  background_.wake(*this);
  return ticket;
}

asio::awaitable<void> Source::look(probes::Clock::time_point deadline) {
  look_wanted_ = true;
  const std::uint64_t ticket = ++wanted_;
  background_.wake(*this);
  co_await wait_for(ticket, deadline);
}

asio::awaitable<void> Source::wait_for(std::uint64_t ticket, probes::Clock::time_point deadline) {
  while (done_ < ticket) {
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
  attempt(look_wanted_.exchange(false));
  asio::post(executor_, [weak = weak_from_this(), wanted] {
    const auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->done_ = wanted;
    self->looked_.notify();
  });
}

}  // namespace pgconn::exporter
