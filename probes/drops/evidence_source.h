// A witness of what happens to connections, other than our own connections: the server's log, its
// host. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>

#include "probes/drops/attribution.h"
#include "probes/drops/incidents.h"

namespace pgconn::probes {

class EvidenceSource {
 public:
  virtual ~EvidenceSource() = default;
  // Makes it look again; returns when it has, or at the deadline.
  virtual asio::awaitable<void> look(Clock::time_point deadline) = 0;
  // Adds what it knows about the time of the incident.
  virtual void add_to(Evidence& evidence, const Incident& incident) const = 0;
};

}  // namespace pgconn::probes
