// How it is found out why the connections of one incident were lost: what is asked, in which order,
// and for how long an answer is worth waiting for. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <span>

#include "async/time_source.h"
#include "probes/drops/acquaintance.h"
#include "probes/drops/attribution.h"
#include "probes/drops/evidence_source.h"
#include "probes/drops/held_connections.h"
#include "probes/drops/incidents.h"
#include "probes/drops/path_memory.h"

namespace pgconn::probes {

// Drops of one event follow each other within this time; the scope is not told before.
inline constexpr std::chrono::milliseconds kArriving{400};
// Of connecting and asking.
inline constexpr std::chrono::seconds kOneAttempt{3};

class Investigation {
 public:
  // What it works with.
  struct Means {
    async::TimeSource& time;
    HeldConnections& held;
    Acquaintance& server;  // to look at it; what was known of it stays frozen meanwhile
    const PathMemory& path;
    std::span<EvidenceSource* const> sources;  // none of them null
  };

  // All must outlive it; the incident may take more drops while this runs.
  Investigation(const Incident& incident, Means means);

  // Gathers evidence until no more can be had that matters. `decidable` hears, at least once, what
  // there is as soon as it decides the cause of the drops so far: most often in less than a second,
  // within five at most, unless the deciding evidence is still to come: others that have to answer
  // first, by timeouts of their own (fifteen at most), and a path that resets all and may heal
  // (ten). Throws PgError when it is stopped.
  asio::awaitable<void> run(std::function<void(const Evidence&)> decidable);
  // Afterwards: all of it, with those who have answered since.
  Evidence complete() const;

 private:
  asio::awaitable<void> reconnect();
  asio::awaitable<void> ask_others();
  void ask_all();
  asio::awaitable<void> await_others(Clock::time_point enough);
  asio::awaitable<void> await_ages();
  asio::awaitable<void> await_deciders(Clock::time_point enough);
  asio::awaitable<void> await_scope(std::size_t counted, Clock::time_point enough);
  asio::awaitable<void> await_arrivals();
  asio::awaitable<void> seek_unheard(const Evidence& evidence);
  asio::awaitable<void> hear_sources();

  const Incident& incident_;
  Means means_;
  Evidence gathered_;
  bool asked_all_ = false;
};

}  // namespace pgconn::probes
