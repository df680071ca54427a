// Turns at something scarce: a worker, the hashing of a password. Waiters are served address by
// address, one of each in turn, so that many from one address delay one another and no other
// address. A value without locks; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>

namespace pgconn::exporter {

class AddressTurns {
 public:
  using Turn = std::uint64_t;
  // True: the turn has come. False: too many wait; it never will. Called once at most, from ask()
  // and leave(), and must not call back.
  using Tell = std::function<void(bool)>;

  struct Limits {
    std::size_t at_once = 1;
    std::size_t at_once_of_one_address = 1;
    std::size_t waiting = 32;
  };

  explicit AddressTurns(Limits limits) : limits_(limits) {}

  // With too many waiting, the last of the address with the most makes room for one of another.
  Turn ask(const std::string& address, Tell tell);

  // Has had its turn, or no longer wants it. May be called for one that was sent away, too.
  void leave(Turn turn);

 private:
  struct Waiting {
    Turn turn;
    Tell tell;
  };
  struct Queue {
    std::string address;
    std::deque<Waiting> waiting;  // never empty
  };

  void send_one_away(const std::string& newcomer);
  void call_next();
  bool may(const Queue& queue) const;

  const Limits limits_;
  std::list<Queue> queues_;  // the next one first
  std::size_t waiting_ = 0;
  std::map<Turn, std::string> called_;  // to the address
  std::map<std::string, std::size_t> called_of_;
  Turn last_ = 0;
};

}  // namespace pgconn::exporter
