#include "probes/held_sessions.h"

#include "probes/held_session.h"

namespace pgconn::probes {

HeldConnections::Count HeldSessions::count() const {
  Count count;
  for (const HeldSession* session : sessions_) {
    if (!session->is_open()) continue;
    ++count.all;
    if (session->probe() == ProbeKind::kIdle) ++count.silent;
  }
  return count;
}

void HeldSessions::ask_all() {
  for (HeldSession* session : sessions_) session->want_answer();
}

int HeldSessions::owing() const {
  int owing = 0;
  for (const HeldSession* session : sessions_) owing += session->owes_answer() ? 1 : 0;
  return owing;
}

std::vector<Survivor> HeldSessions::survivors(Clock::time_point since) const {
  std::vector<Survivor> survivors;
  for (const HeldSession* session : sessions_) {
    if (const auto survivor = session->survived(since)) survivors.push_back(*survivor);
  }
  return survivors;
}

std::optional<Clock::duration> HeldSessions::survived_silence(Clock::time_point since) const {
  return silences_.longest_since(since);
}

std::map<ProbeKind, int> HeldSessions::open() const {
  std::map<ProbeKind, int> open;
  for (const HeldSession* session : sessions_) {
    open[session->probe()] += session->is_open() ? 1 : 0;
  }
  return open;
}

void HeldSessions::note_survived(Clock::time_point at, Clock::duration silence) {
  silences_.add(at, silence);
}

}  // namespace pgconn::probes
