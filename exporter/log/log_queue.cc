#include "exporter/log/log_queue.h"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace pgconn::exporter::log {

struct LogQueue::State {
  Write write;
  Tell tell;
  std::size_t most_lines, most_bytes;

  std::mutex mutex;
  std::condition_variable arrived, written;
  std::deque<std::string> lines;
  std::size_t bytes = 0;
  bool writing = false;
  std::uint64_t dropped = 0, told = 0;
};

LogQueue::LogQueue(Write write, Tell tell, std::size_t lines, std::size_t bytes)
    : state_(std::make_shared<State>()) {
  state_->write = std::move(write);
  state_->tell = std::move(tell);
  state_->most_lines = lines;
  state_->most_bytes = bytes;
  // Signals belong to other threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([state = state_] {
    pthread_setname_np(pthread_self(), "log");
    run(*state);
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LogQueue::push(std::string line) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->lines.size() >= state_->most_lines ||
        state_->bytes + line.size() > state_->most_bytes) {
      ++state_->dropped;
      return;
    }
    state_->bytes += line.size();
    state_->lines.push_back(std::move(line));
  }
  state_->arrived.notify_one();
}

std::uint64_t LogQueue::dropped() const {
  const std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

bool LogQueue::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  return state_->written.wait_for(lock, patience,
                                  [this] { return state_->lines.empty() && !state_->writing; });
}

void LogQueue::run(State& state) {
  std::unique_lock lock(state.mutex);
  for (;;) {
    state.arrived.wait(lock, [&state] { return !state.lines.empty(); });
    std::string line = std::move(state.lines.front());
    state.lines.pop_front();
    state.bytes -= line.size();
    // The first line that gets through after others were dropped is followed by their number.
    const std::uint64_t news = state.dropped - state.told;
    state.told = state.dropped;
    state.writing = true;
    lock.unlock();
    state.write(line);
    if (news > 0) state.write(state.tell(news));
    lock.lock();
    state.writing = false;
    state.written.notify_all();
  }
}

}  // namespace pgconn::exporter::log
