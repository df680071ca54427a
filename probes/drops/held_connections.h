// What the ledger of drops asks those who hold connections. I/O thread only.
#pragma once

#include <optional>
#include <vector>

#include "async/event.h"
#include "probes/drops/attribution.h"

namespace pgconn::probes {

// Of connections that are open and can be asked: a long query, which nobody can ask, neither proves
// that some are left nor that all fell.
class HeldConnections {
 public:
  struct Count {
    int all = 0;
    int silent = 0;  // canaries among them
  };

  virtual ~HeldConnections() = default;
  virtual Count count() const = 0;
  // Has all of them asked now.
  virtual void ask_all() = 0;
  // Of those that were to be asked, how many have neither answered nor fallen.
  virtual int owing() const = 0;
  // Those that were held at `since` and have answered after it.
  virtual std::vector<Survivor> survivors(Clock::time_point since) const = 0;
  // One has answered or has fallen: what the functions above say may have changed.
  virtual async::Event& changed() = 0;
  // The longest silence that a canary has survived since then.
  virtual std::optional<Clock::duration> survived_silence(Clock::time_point since) const = 0;
};

}  // namespace pgconn::probes
