// Drops that belong together are one incident. Bookkeeping without I/O or clock: the caller
// supplies the time. I/O thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "probes/drops/attribution.h"
#include "probes/drops/drop.h"

namespace pgconn::probes {

struct Incident {
  std::uint64_t id = 0;  // counts from 1 for each target
  std::string target;
  std::chrono::system_clock::time_point began;
  Clock::time_point first, last;  // of its drops
  int held_before = 0;
  int silent_before = 0;  // of these, canaries
  std::vector<Drop> drops;
  std::size_t counted = 0;  // of its drops
  std::size_t told = 0;     // how many drops it had when decided
  std::size_t turns = 0;    // drops after those, see IncidentLog::goes_on_with()
  std::size_t in_all() const { return drops.size() + turns; }
  bool decided = false;
  Verdict verdict;
};

// The evidence in the incident itself: its drops, and how many connections there were. The caller
// gathers the rest.
Evidence evidence_of(const Incident& incident);

// Groups drops of one target: a drop joins the latest incident while that is not decided. After
// that the findings may no longer apply to the server, so only a drop whose own message gives the
// same cause still joins, within `together` of the last one; any other begins a new incident. An
// incident takes no drops later than a minute after its first: what lasts that long is news again.
class IncidentLog {
 public:
  static constexpr std::chrono::seconds kLongest{60};

  explicit IncidentLog(std::string target, Clock::duration together = std::chrono::seconds(3),
                       std::size_t kept = 200);

  // Adds a drop and returns its incident. The reference is valid until later incidents push that
  // one out of the log. `held` is how many connections were held just before this drop.
  Incident& add(Drop drop, int held, std::chrono::system_clock::time_point now);

  // When a decided incident is over: until then it may take drops, and each of them extends it.
  Clock::time_point over_at(const Incident& incident) const;

  // The latest incident, if this drop is one more turn of a loop that our own reconnecting keeps
  // going: the server's idle_session_timeout ends each of our sessions, and each is opened again.
  // Such drops count but are not news, however long this lasts. Else nullptr.
  Incident* goes_on_with(const Drop& drop);

  // By its number; nullptr once later ones have pushed it out.
  Incident* find(std::uint64_t id);

  const std::deque<Incident>& incidents() const { return incidents_; }  // oldest first

 private:
  Incident* open_to(const Drop& drop);  // the latest one, or nullptr

  std::string target_;
  Clock::duration together_;
  std::size_t kept_;
  std::uint64_t begun_ = 0;
  std::deque<Incident> incidents_;
};

}  // namespace pgconn::probes
