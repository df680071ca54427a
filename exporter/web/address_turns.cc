#include "exporter/web/address_turns.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgconn::exporter {

AddressTurns::Turn AddressTurns::ask(const std::string& address, Tell tell) {
  auto queue = std::ranges::find(queues_, address, &Queue::address);
  if (queue == queues_.end()) queue = queues_.insert(queue, Queue{address, {}});
  queue->waiting.push_back({++last_, std::move(tell)});
  const Turn turn = last_;
  ++waiting_;
  call_next();
  if (waiting_ > limits_.waiting) send_one_away(address);
  return turn;
}

void AddressTurns::leave(Turn turn) {
  if (const auto called = called_.find(turn); called != called_.end()) {
    const auto count = called_of_.find(called->second);
    if (--count->second == 0) called_of_.erase(count);
    called_.erase(called);
    call_next();
    return;
  }
  for (auto queue = queues_.begin(); queue != queues_.end(); ++queue) {
    if (std::erase_if(queue->waiting, [turn](const Waiting& one) { return one.turn == turn; }) ==
        0) {
      continue;
    }
    --waiting_;
    if (queue->waiting.empty()) queues_.erase(queue);
    return;
  }
}

// The newcomer itself if no address has more waiters than its own.
void AddressTurns::send_one_away(const std::string& newcomer) {
  const auto count = [](const Queue& queue) { return queue.waiting.size(); };
  auto longest = std::ranges::max_element(queues_, {}, count);
  const auto own = std::ranges::find(queues_, newcomer, &Queue::address);
  if (own != queues_.end() && count(*own) == count(*longest)) longest = own;
  const Tell tell = std::move(longest->waiting.back().tell);
  longest->waiting.pop_back();
  if (longest->waiting.empty()) queues_.erase(longest);
  --waiting_;
  tell(false);
}

void AddressTurns::call_next() {
  while (called_.size() < limits_.at_once) {
    const auto queue = std::ranges::find_if(queues_, [this](const Queue& one) { return may(one); });
    if (queue == queues_.end()) return;
    const Waiting next = std::move(queue->waiting.front());
    queue->waiting.pop_front();
    --waiting_;
    called_.emplace(next.turn, queue->address);
    ++called_of_[queue->address];
    if (queue->waiting.empty()) {
      queues_.erase(queue);
    } else {
      queues_.splice(queues_.end(), queues_, queue);
    }
    next.tell(true);
  }
}

bool AddressTurns::may(const Queue& queue) const {
  const auto called = called_of_.find(queue.address);
  return called == called_of_.end() || called->second < limits_.at_once_of_one_address;
}

}  // namespace pgconn::exporter
