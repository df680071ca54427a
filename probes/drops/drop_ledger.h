// Records lost connections: groups them into incidents, has each investigated, and counts the
// results. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/time_source.h"
#include "metrics/instruments.h"
#include "postgres/connector.h"
#include "probes/drops/acquaintance.h"
#include "probes/drops/attribution.h"
#include "probes/drops/evidence_source.h"
#include "probes/drops/held_connections.h"
#include "probes/drops/incidents.h"
#include "probes/drops/path_memory.h"
#include "probes/drops/remains.h"

namespace pgconn::probes {

// Called with what the ledger finds.
struct LedgerListeners {
  // The final cause of a drop, in the light of its whole incident.
  std::function<void(const Drop&, Cause)> decided;
  // An incident is complete: for the log. Called once for each.
  std::function<void(const Incident&)> concluded;
  // An incident that took more drops after it was concluded is over. Called once for each such
  // incident.
  std::function<void(const Incident&)> over;
};

class Investigation;

// From noticing a drop to counting it, unless deciding evidence is on its way.
inline constexpr std::chrono::milliseconds kCountedWithin{4900};

class DropLedger {
 public:
  // All must outlive the ledger.
  DropLedger(std::string target, postgres::Connector& connector, async::TimeSource& time,
             metrics::Instruments& instruments, HeldConnections& held, LedgerListeners listeners,
             std::vector<EvidenceSource*> sources = {});

  // Enters a drop. Returns the incident's number if the caller must investigate() it.
  std::optional<std::uint64_t> enter(Drop drop);

  // Runs its Investigation, counts each drop as soon as its cause is decided, and the incident at
  // the end.
  asio::awaitable<void> investigate(std::uint64_t incident);

  // Counts each drop of an incident that is not decided within kCountedWithin of being noticed,
  // with the cause that is proven by then, or as unknown; later only while evidence is still to
  // come that will decide, see Investigation::worth_waiting_until(). What is found out after that
  // is in the incident's verdict.
  asio::awaitable<void> count_in_time(std::uint64_t incident);

  // Waits until an incident that was decided takes no more drops, a minute at most.
  asio::awaitable<void> see_out(std::uint64_t incident);

  // For an investigation that could not be completed: drops that it has not counted are unknown.
  void give_up(std::uint64_t incident);

  // Learns when the server started, as soon as it lets us in, unless a scrape reports it first, and
  // ends sessions that lost connections have left there, however long that takes.
  asio::awaitable<void> get_acquainted();

  // The server as a session saw it while nothing was wrong.
  void learn(const ServerMarks& marks, int server_version) { server_.learn(marks, server_version); }

  const std::deque<Incident>& incidents() const { return log_.incidents(); }
  void add_gauges(metrics::MetricBatch& batch) const;

 private:
  void begin(const Incident& incident);
  void end(const Incident& incident);
  Clock::time_point due_to_count(const Incident& incident) const;
  void count_due(std::uint64_t incident);
  void count_rest(Incident& incident, const Evidence& evidence,
                  Clock::time_point noticed_by = Clock::time_point::max());
  void conclude(Incident& incident, const Evidence& evidence, Verdict verdict);
  void count(const Drop& drop, const Verdict& verdict);

  async::TimeSource& time_;
  metrics::Instruments& instruments_;
  HeldConnections& held_;
  LedgerListeners listeners_;
  IncidentLog log_;
  std::set<std::uint64_t> under_investigation_;
  std::map<std::uint64_t, const Investigation*> investigations_;  // that run, by incident
  Acquaintance server_;
  PathMemory path_;
  std::vector<EvidenceSource*> sources_;
  Remains remains_;
  bool acquainting_ = false;
  std::map<std::string, double> last_drop_;  // Unix time by cause
};

}  // namespace pgconn::probes
