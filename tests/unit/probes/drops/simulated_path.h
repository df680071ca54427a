// Three held connections on a path that misbehaves, and the ledger's way to a verdict, by a clock
// that runs without waiting: the pure rules, at many timings. Deterministic for a seed.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <vector>

#include "probes/drops/attribution.h"
#include "probes/ladder.h"
#include "probes/survived_silences.h"

namespace pgconn::probes {

struct Misbehaviour {
  using Span = std::chrono::milliseconds;
  std::optional<Span> lifetime;             // each connection is closed at about that age
  std::optional<Span> forgets_after;        // a flow that was silent for so long,
  bool resets_strangers = true;             // and says so, or says nothing
  std::optional<Span> forgets_all_at;       // every flow there is then, and says nothing
  std::optional<Span> pause_at, pause_for;  // the server stands still
};

struct SimulatedProbes {
  using Span = std::chrono::milliseconds;
  Span interval{1000}, timeout{900}, canary_timeout{2000};
  std::vector<Span> ladder;
};

class SimulatedPath {
 public:
  using Clock = std::chrono::steady_clock;

  SimulatedPath(Misbehaviour path, SimulatedProbes probes, unsigned seed);

  // What was told of drops and incidents in that time.
  std::vector<Verdict> run(std::chrono::seconds span);

  const IdleLadder& ladder() const { return ladder_; }

 private:
  struct Session {
    ProbeKind probe = ProbeKind::kIdle;
    bool open = false, dialing = false, forgotten = false;
    Clock::time_point dialed, accepted, ready, opened, last_answer, due, reopen, end;
    std::optional<Clock::time_point> asked;
    bool wanted = false;
    IdleLadder::Silence rung{0};
    std::vector<std::pair<Clock::time_point, Clock::duration>> answers;
  };
  enum class Step { kQuiet, kNoticing, kLooking, kOwing, kAges, kArriving };

  Clock::duration some(int least, int most);  // milliseconds
  bool is_paused() const;
  void dial(Session& session);
  void hold(Session& session);
  void ask(Session& session);
  void answer(Session& session);
  void lose(Session& session, const postgres::PgError& error);
  void investigate();
  void look();
  void judge();
  void conclude();
  Evidence complete() const;

  Misbehaviour path_;
  SimulatedProbes probes_;
  std::mt19937 random_;
  Clock::time_point now_;
  std::vector<Session> sessions_;
  IdleLadder ladder_;
  SurvivedSilences survived_;
  int undecided_ = 0;
  Step step_ = Step::kQuiet;
  Evidence gathered_;
  Clock::time_point first_, last_, look_began_;
  bool asked_all_ = false;
  std::size_t fallen_ = 0, counted_ = 0;
  struct Silence {
    Clock::time_point at;
    Clock::duration lasted;
  };
  std::vector<Silence> doubtful_;
  std::vector<Clock::duration> unanswered_;
  std::vector<Verdict> told_;
};

}  // namespace pgconn::probes
