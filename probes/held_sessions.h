// All sessions that the probes of one target hold, as one group. I/O thread only.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "probes/drops/drop.h"
#include "probes/drops/held_connections.h"
#include "probes/survived_silences.h"

namespace pgconn::probes {

class HeldSession;

class HeldSessions final : public HeldConnections {
 public:
  explicit HeldSessions(async::TimeSource& time) : changed_(time) {}

  Count count() const override;
  void ask_all() override;
  int owing() const override;
  std::vector<Survivor> survivors(Clock::time_point since) const override;
  async::Event& changed() override { return changed_; }
  std::optional<Clock::duration> survived_silence(Clock::time_point since) const override;

  // How many of each probe are open; 0 for a probe whose sessions are all closed.
  std::map<ProbeKind, int> open() const;
  // A canary answered at that moment, after a silence of that length.
  void note_survived(Clock::time_point at, Clock::duration silence);

 private:
  friend class HeldSession;  // registers itself for as long as it lives

  async::Event changed_;
  std::vector<HeldSession*> sessions_;
  SurvivedSilences silences_;
};

}  // namespace pgconn::probes
