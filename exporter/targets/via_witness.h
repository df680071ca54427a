// What the targets on the other sides of a pooler do at the time of an incident: the pooler of a
// target that is reached through one, and the server behind it. I/O thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/time_source.h"
#include "config/config.h"
#include "probes/drops/evidence_source.h"
#include "probes/prober.h"

namespace pgconn::exporter {

// Another target, for as long as nobody else runs.
struct Neighbour {
  const config::Target& config;
  probes::Prober& prober;
};
using FindNeighbour = std::function<std::optional<Neighbour>(const std::string& name)>;

class ViaWitness final : public probes::EvidenceSource {
 public:
  // `own`, whose `via` is set, and `time` must outlive it.
  ViaWitness(const config::Target& own, async::TimeSource& time, FindNeighbour find)
      : own_(own), time_(time), find_(std::move(find)) {}

  // Has the neighbours ask on what they hold, and waits until they know.
  asio::awaitable<void> look(probes::Clock::time_point deadline) override;
  void add_to(probes::Evidence& evidence, const probes::Incident& incident) const override;

 private:
  // The pooler and the server; an empty name where there is none.
  std::pair<std::string, std::string> sides() const;
  probes::Beside did(const std::string& name, probes::Clock::time_point since) const;
  bool is_settled(const std::string& name, probes::Clock::time_point asked) const;

  const config::Target& own_;
  async::TimeSource& time_;
  FindNeighbour find_;
};

}  // namespace pgconn::exporter
