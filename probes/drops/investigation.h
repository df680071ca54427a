// Finds out why the connections of one incident were lost: what is asked, in which order, and how
// long to wait for each answer. I/O thread only.
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

// Drops of one event follow each other within this time; the scope is not decided before.
inline constexpr std::chrono::milliseconds kArriving{400};
// For connecting and one query.
inline constexpr std::chrono::seconds kOneAttempt{3};

class Investigation {
 public:
  // What an investigation works with.
  struct Means {
    async::TimeSource& time;
    HeldConnections& held;
    Acquaintance& server;  // to look at it; what was known of it stays frozen meanwhile
    const PathMemory& path;
    std::span<EvidenceSource* const> sources;  // none of them null
  };

  // All must outlive it; the incident may take more drops while this runs.
  Investigation(const Incident& incident, Means means);

  // Gathers evidence until nothing more that matters can be learned. `decidable` is called, at
  // least once, with the evidence as soon as it decides the cause of the drops so far: usually in
  // less than a second. Throws PgError when it is stopped.
  asio::awaitable<void> run(std::function<void(const Evidence&)> decidable);
  // Evidence that will decide may come until then: others that will soon be as old as a lost one
  // was, or a path that resets everything and may recover. In the past if there is none.
  Clock::time_point worth_waiting_until() const;
  // The evidence so far, including connections that have answered since.
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
