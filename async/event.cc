#include "async/event.h"

#include <system_error>

namespace pgconn::async {
namespace {

// Forgets the waiter when its coroutine resumes or is destroyed.
template <typename List>
class Entry {
 public:
  Entry(List& list, typename List::iterator waiter) : list_(list), waiter_(waiter) {}
  ~Entry() { list_.erase(waiter_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  List& list_;
  typename List::iterator waiter_;
};

}  // namespace

void Event::notify() {
  for (Waiter& waiter : waiters_) {
    waiter.notified = true;
    waiter.timer.cancel();
  }
}

asio::awaitable<void> Event::wait() { co_await wait_until(Clock::time_point::max()); }

asio::awaitable<bool> Event::wait_until(Clock::time_point deadline) {
  const auto waiter = waiters_.emplace(waiters_.end(), asio::steady_timer(time_.executor()));
  const Entry entry(waiters_, waiter);
  const asio::error_code error = co_await time_.wait(waiter->timer, deadline);
  if (waiter->notified) co_return true;
  if (error) throw std::system_error(error);
  co_return false;
}

}  // namespace pgconn::async
