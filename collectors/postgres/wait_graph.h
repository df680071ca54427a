// Who waits for whose locks: chains, their roots, and who is behind a root. A value; immutable once
// built, so safe from every thread. Work grows with the edges, and a row that many sessions want
// has many: every waiter is behind all those ahead of it in the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace pgconn::collectors {

class WaitGraph {
 public:
  using Pid = std::int64_t;

  // `pid` waits for each of `blockers`. Once for each waiter.
  void add(Pid pid, const std::vector<Pid>& blockers);

  // Blockers that wait for nobody themselves, in ascending order. A deadlock that the server has
  // not detected yet has none.
  std::vector<Pid> roots() const;

  // The fewest waits from each waiter to a root that are passed on the way; the largest of these.
  // 1: all wait for a root itself. Members of a cycle count as 1. 0 if nobody waits.
  std::size_t depth() const;

  // All waiters behind at least one of `pids`, directly or not, without these.
  std::set<Pid> behind(const std::vector<Pid>& pids) const;

 private:
  // How many waits each waiter that is behind `pids` is away from the nearest of them.
  std::map<Pid, std::size_t> distances(const std::vector<Pid>& pids) const;

  std::set<Pid> waiters_;
  std::map<Pid, std::vector<Pid>> waiters_of_;  // by blocker
};

}  // namespace pgconn::collectors
