// Adds up over time what single looks at a host show: sums that only rise. One thread; no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "metrics/batch.h"
#include "sources/host/host_reading.h"

namespace pgconn::host {

// Round trips in seconds, from within one machine to half around the world with bloated queues.
inline constexpr std::array kRoundTripBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001,
                                                0.0025,  0.005,  0.01,    0.025,  0.05,
                                                0.1,     0.25,   0.5,     1.0,    2.5};

// Sockets whose counts are kept while lists of them are incomplete.
inline constexpr std::size_t kMostRemembered = 200'000;

struct HostCounts {
  // Segments that the server's kernel has retransmitted since the first look. The kernel counts
  // them per socket and forgets the count with the socket, so each look adds what each socket has
  // gained since the previous one, and the whole count of a new socket. Retransmits between the
  // last look at a socket and its end are lost: the sum never falls, and is a lower bound.
  std::optional<std::uint64_t> retransmits{};
  // The kernel's smoothed round trips: one observation per look for each connection on which
  // something was acknowledged since the previous look. Silent connections, whose value may be
  // hours old, have none.
  std::optional<metrics::HistogramValue> round_trips{};
  // Kills of processes of PostgreSQL in the kernel's log since the first look.
  std::optional<std::uint64_t> postgres_kills{};
};

class HostLedger {
 public:
  // Takes one look; each must be later than the previous one, and all of one HostReader.
  void take(const HostReading& reading);

  const HostCounts& counts() const { return counts_; }

 private:
  struct Seen {
    std::uint32_t retransmits = 0;
    std::optional<std::uint64_t> acknowledged{};
  };

  void take(const ServerSockets& sockets);
  void take(const KernelLogLook& log);
  void observe(double seconds);

  std::unordered_map<std::uint64_t, Seen> seen_;  // by the socket's cookie
  // Whether the latest list was complete: only then is a socket that is not in `seen_` new.
  bool list_was_complete_ = false;
  std::optional<std::uint64_t> log_read_up_to_;
  HostCounts counts_;
};

}  // namespace pgconn::host
