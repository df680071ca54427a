// What the ledger of drops asks about held connections. I/O thread only.
#pragma once

#include <optional>
#include <vector>

#include "async/event.h"
#include "probes/drops/attribution.h"

namespace pgconn::probes {

// Covers connections that are open and can be asked. A long query cannot be asked, so it proves
// neither that some are left nor that all dropped.
class HeldConnections {
 public:
  struct Count {
    int all = 0;
    int silent = 0;  // canaries among them
  };

  virtual ~HeldConnections() = default;
  virtual Count count() const = 0;
  // Has all of them queried now.
  virtual void ask_all() = 0;
  // How many of those to be queried have neither answered nor dropped.
  virtual int owing() const = 0;
  // Those that were held at `since` and have answered since.
  virtual std::vector<Survivor> survivors(Clock::time_point since) const = 0;
  // Notified when one has answered or dropped: results of the functions above may have changed.
  virtual async::Event& changed() = 0;
  // The longest silence that a canary has survived since that time.
  virtual std::optional<Clock::duration> survived_silence(Clock::time_point since) const = 0;
};

}  // namespace pgconn::probes
