// Where lost connections are entered: groups them into incidents, gathers what is needed to say why
// (can one connect again, did the server start anew, who survived), and counts once it is known. A
// loss without words has all others asked at once: who cannot answer belongs to the incident.
// I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "metrics/instruments.h"
#include "postgres/dialer.h"
#include "probes/drops/attribution.h"
#include "probes/drops/clock.h"
#include "probes/drops/held_connections.h"
#include "probes/drops/incidents.h"
#include "probes/drops/server_marks.h"

namespace pgconn::probes {

// Who is told what the ledger finds.
struct LedgerListeners {
  // The cause of a drop is known for good, in the light of all that its incident became.
  std::function<void(const Drop&, Cause)> decided;
  // An incident is complete: for the log. Called once for each.
  std::function<void(const Incident&)> concluded;
  // One that has taken more drops since it was concluded is over. Called once for each such.
  std::function<void(const Incident&)> over;
};

class DropLedger {
 public:
  // All must outlive the ledger.
  DropLedger(std::string target, postgres::Dialer& dialer, metrics::Instruments& instruments,
             HeldConnections& held, LedgerListeners listeners);

  // Enters a drop. Returns the incident's number if it needs somebody to investigate() it.
  std::optional<std::uint64_t> enter(Drop drop);

  // Gathers evidence and decides, most often in less than a second, and counts within five at most.
  // Only where the evidence is still to come does it take longer: others that have to answer first,
  // by timeouts of their own (fifteen at most), and a path that resets all and may heal (ten). Who
  // falls meanwhile has it look again.
  asio::awaitable<void> investigate(std::uint64_t incident);

  // Waits until an incident that was decided takes no more drops, a minute at most.
  asio::awaitable<void> see_out(std::uint64_t incident);

  // For an investigation that could not be carried to its end: what it has not counted is unknown.
  void give_up(std::uint64_t incident);

  // Learns when the server started, as soon as it lets us in, unless a scrape tells it before, and
  // clears away what lost connections have left there, however long that takes.
  asio::awaitable<void> get_acquainted();

  // The server as a session saw it while nothing was wrong.
  void learn(const ServerMarks& marks, int server_version);

  const std::deque<Incident>& incidents() const { return log_.incidents(); }
  void add_gauges(metrics::MetricBatch& batch) const;

 private:
  static constexpr std::chrono::seconds kOneAttempt{3};  // of connecting and asking
  // Drops of one event follow each other within this time; the scope is not told before.
  static constexpr std::chrono::milliseconds kArriving{400};

  // investigation.cc
  asio::awaitable<ServerLook> look(Clock::time_point deadline,
                                   std::vector<postgres::EndpointError>* turned_away = nullptr);
  asio::awaitable<void> reconnect(const Incident& incident, Evidence& evidence);
  asio::awaitable<void> ask_others(const Incident& incident);
  void ask_all(const Incident& incident);
  asio::awaitable<void> await_others(Clock::time_point enough);
  asio::awaitable<void> await_ages(const Incident& incident, const Evidence& gathered);
  asio::awaitable<void> await_deciders(const Incident& incident, const Evidence& gathered,
                                       Clock::time_point enough);
  asio::awaitable<void> await_scope(const Incident& incident, std::size_t counted,
                                    Clock::time_point enough);
  asio::awaitable<void> await_arrivals(const Incident& incident);
  asio::awaitable<void> seek_unheard(const Incident& incident, const Evidence& evidence);
  Evidence complete(const Evidence& gathered, const Incident& incident) const;

  asio::awaitable<void> meet_server();
  asio::awaitable<void> clear_remains();
  void count_rest(Incident& incident, const Evidence& evidence);
  void conclude(Incident& incident, const Evidence& evidence, Verdict verdict);
  void remember(const Evidence& evidence);
  void count(const Drop& drop, const Verdict& verdict);

  std::string target_;
  postgres::Dialer& dialer_;
  metrics::Instruments& instruments_;
  HeldConnections& held_;
  LedgerListeners listeners_;
  IncidentLog log_;
  std::set<std::uint64_t> under_investigation_;
  std::uint64_t asked_in_ = 0;  // the incident in which all others were asked last
  std::vector<Drop> remains_;   // that have left something at the server, still to be cleared away
  // The latest samples of the path.
  struct Silence {
    Clock::time_point at;
    Clock::duration lasted;
  };
  static void keep(std::deque<Silence>& samples, Silence latest);
  std::deque<Silence> unanswered_;  // as unanswered_silences() has them
  std::deque<Silence> doubtful_;    // as doubtful_silences() has them
  ServerMarks known_;
  std::optional<int> server_version_;
  std::optional<ServerLook> last_look_;  // for what lies on the way
  bool acquainting_ = false;
  std::map<std::string, double> last_drop_;  // Unix time by cause
};

}  // namespace pgconn::probes
