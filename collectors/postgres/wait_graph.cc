#include "collectors/postgres/wait_graph.h"

#include <algorithm>
#include <deque>

namespace pgconn::collectors {

void WaitGraph::add(Pid pid, const std::vector<Pid>& blockers) {
  waiters_.insert(pid);
  for (Pid blocker : blockers) waiters_of_[blocker].push_back(pid);
}

std::vector<WaitGraph::Pid> WaitGraph::roots() const {
  std::vector<Pid> roots;
  for (const auto& [blocker, waiters] : waiters_of_) {
    if (!waiters_.contains(blocker)) roots.push_back(blocker);
  }
  return roots;
}

std::size_t WaitGraph::depth() const {
  std::size_t depth = waiters_.empty() ? 0 : 1;
  for (const auto& [pid, distance] : distances(roots())) depth = std::max(depth, distance);
  return depth;
}

std::set<WaitGraph::Pid> WaitGraph::behind(const std::vector<Pid>& pids) const {
  std::set<Pid> found;
  for (const auto& [pid, distance] : distances(pids)) {
    if (distance > 0) found.insert(pid);
  }
  return found;
}

std::map<WaitGraph::Pid, std::size_t> WaitGraph::distances(const std::vector<Pid>& pids) const {
  std::map<Pid, std::size_t> distances;
  std::deque<Pid> queue;
  for (Pid pid : pids) {
    if (distances.emplace(pid, 0).second) queue.push_back(pid);
  }
  while (!queue.empty()) {
    const Pid blocker = queue.front();
    queue.pop_front();
    const auto found = waiters_of_.find(blocker);
    if (found == waiters_of_.end()) continue;
    const std::size_t distance = distances.at(blocker) + 1;
    for (Pid waiter : found->second) {
      if (distances.emplace(waiter, distance).second) queue.push_back(waiter);
    }
  }
  return distances;
}

}  // namespace pgconn::collectors
