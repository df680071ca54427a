#include "tests/unit/probes/drops/simulated_path.h"

#include <algorithm>
#include <utility>

#include "probes/drops/silence_or_age.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = SimulatedPath::Clock;

const Clock::time_point kBegin(std::chrono::hours(1000));
constexpr milliseconds kTick(10);
constexpr milliseconds kRoundTrip(10);
// As the ledger has them.
constexpr milliseconds kNoticing(400), kArriving(400), kRetry(250);
constexpr seconds kAllArrived(3), kPatience(10), kOneAttempt(3), kAnswering(15), kAgesTell(10);

}  // namespace

SimulatedPath::SimulatedPath(Misbehaviour path, SimulatedProbes probes, unsigned seed)
    : path_(path),
      probes_(std::move(probes)),
      random_(seed),
      now_(kBegin),
      sessions_(3),
      ladder_(probes_.ladder) {
  sessions_.front().probe = ProbeKind::kRoundtrip;
  for (Session& session : sessions_) session.reopen = now_ + some(0, 4000);
}

Clock::duration SimulatedPath::some(int least, int most) {
  return milliseconds(std::uniform_int_distribution(least, most)(random_));
}

bool SimulatedPath::is_paused() const {
  return path_.pause_at && now_ >= kBegin + *path_.pause_at &&
         now_ < kBegin + *path_.pause_at + *path_.pause_for;
}

std::vector<Verdict> SimulatedPath::run(seconds span) {
  for (; now_ < kBegin + span; now_ += kTick) {
    for (Session& session : sessions_) session.open ? hold(session) : dial(session);
    investigate();
  }
  return told_;
}

void SimulatedPath::dial(Session& session) {
  if (!session.dialing) {
    const bool waits = session.probe == ProbeKind::kIdle && undecided_ > 0;
    if (now_ < session.reopen || waits) return;
    session.dialing = true;
    session.dialed = now_;
    session.accepted = now_ + some(0, 50);
    session.ready = session.accepted + some(5, 1500);  // a busy machine
  }
  if (now_ < session.ready || is_paused()) return;
  session.dialing = session.forgotten = session.wanted = false;
  session.open = true;
  session.opened = session.last_answer = now_;
  session.answers.clear();
  if (path_.lifetime)
    session.end = session.accepted + *path_.lifetime * (some(960, 1040) / milliseconds(1)) / 1000;
  std::vector<IdleLadder::Silence> under_way;
  for (const Session& other : sessions_) {
    if (&other != &session && other.probe == ProbeKind::kIdle) under_way.push_back(other.rung);
  }
  session.rung = ladder_.next(under_way);
  session.due = now_ + (session.probe == ProbeKind::kIdle ? session.rung : probes_.interval);
}

void SimulatedPath::hold(Session& session) {
  if (path_.lifetime && now_ >= session.end) return lose(session, closed());
  if (!session.asked) {
    if (now_ >= session.due || session.wanted) ask(session);
    return;
  }
  if (session.forgotten && path_.resets_strangers && !path_.forgets_all_at) {
    return lose(session, reset());
  }
  if (!session.forgotten && !is_paused() && now_ >= *session.asked + kRoundTrip) {
    return answer(session);
  }
  const bool canary = session.probe == ProbeKind::kIdle;
  if (now_ >= *session.asked + (canary ? probes_.canary_timeout : probes_.timeout)) {
    lose(session, unanswered());
  }
}

void SimulatedPath::ask(Session& session) {
  session.asked = now_;
  if (path_.forgets_after && now_ - session.last_answer > *path_.forgets_after) {
    session.forgotten = true;
  }
  const auto all_at = path_.forgets_all_at ? kBegin + *path_.forgets_all_at : kBegin;
  if (path_.forgets_all_at && session.accepted <= all_at && now_ >= all_at) {
    session.forgotten = true;
  }
}

void SimulatedPath::answer(Session& session) {
  session.answers.emplace_back(now_, now_ - session.last_answer);
  const auto lasted =
      std::chrono::duration_cast<milliseconds>(*session.asked - session.last_answer);
  session.last_answer = now_;
  session.asked.reset();
  session.wanted = false;
  if (session.probe == ProbeKind::kRoundtrip) {
    session.due = now_ + probes_.interval;
    return;
  }
  ladder_.survived(std::min(lasted, session.rung));
  survived_.add(now_, std::min(lasted, session.rung));
  session.rung = ladder_.next({});
  session.due = now_ + session.rung;
}

void SimulatedPath::lose(Session& session, const postgres::PgError& error) {
  if (step_ == Step::kQuiet) {
    step_ = Step::kNoticing;
    gathered_ = {};
    gathered_.held = static_cast<int>(
        std::count_if(sessions_.begin(), sessions_.end(), [](const auto& s) { return s.open; }));
    gathered_.silent =
        static_cast<int>(std::count_if(sessions_.begin(), sessions_.end(), [](const auto& s) {
          return s.open && s.probe == ProbeKind::kIdle;
        }));
    gathered_.server_version = 180000;
    first_ = now_;
    asked_all_ = false;
    counted_ = 0;
  }
  Drop drop{.probe = session.probe, .error = error, .at = now_};
  drop.silent_for = session.asked.value_or(now_) - session.last_answer;
  drop.opened = session.opened;
  drop.dialed = session.dialed;
  drop.asked = session.asked;
  if (session.asked) drop.acknowledged = !session.forgotten;
  gathered_.drops.push_back(drop);
  last_ = now_;
  session.open = session.wanted = false;
  session.asked.reset();
  session.reopen = now_ + some(250, 1200);
  if (session.probe == ProbeKind::kIdle) ++undecided_;
}

void SimulatedPath::investigate() {
  const bool owing = std::any_of(sessions_.begin(), sessions_.end(),
                                 [](const Session& session) { return session.wanted; });
  switch (step_) {
    case Step::kQuiet:
      return;
    case Step::kNoticing:
      if (now_ < first_ + kNoticing) return;
      for (Session& session : sessions_)
        session.wanted = session.wanted || (session.open && !asked_all_);
      asked_all_ = true;
      look_began_ = now_;
      gathered_.reconnected.reset();
      step_ = Step::kLooking;
      return;
    case Step::kLooking:
      return look();
    case Step::kOwing:
      if (owing && now_ < first_ + kAnswering) return;
      fallen_ = gathered_.drops.size();
      step_ = Step::kAges;
      return;
    case Step::kAges:
      if (now_ < first_ + kAgesTell && is_told_by_age(complete(), first_ + kAgesTell)) return;
      if (gathered_.drops.size() > fallen_) {
        step_ = Step::kNoticing;
        return;
      }
      return judge();
    case Step::kArriving:
      if (now_ < std::min<Clock::time_point>(last_ + kArriving, first_ + kAllArrived)) return;
      if (gathered_.drops.size() > counted_) {
        step_ = Step::kNoticing;
        return;
      }
      return conclude();
  }
}

void SimulatedPath::look() {
  if (now_ < look_began_) return;
  if (!is_paused() && now_ >= look_began_ + 3 * kRoundTrip) {
    const Evidence untouched = Given().untouched();
    gathered_.before = untouched.before;
    gathered_.after = untouched.after;
    gathered_.after.read_at = now_;
    gathered_.reconnected = true;
    gathered_.new_sessions.push_back({look_began_, now_});
    step_ = Step::kOwing;
  } else if (now_ >= look_began_ + kOneAttempt) {
    gathered_.failed_reconnects.push_back(no_startup_answer());
    look_began_ = now_ + kRetry;
    if (look_began_ >= first_ + kPatience) {
      gathered_.reconnected = false;
      step_ = Step::kOwing;
    }
  }
}

Evidence SimulatedPath::complete() const {
  Evidence evidence = gathered_;
  for (const Session& session : sessions_) {
    if (!session.open || session.opened > first_) continue;
    std::optional<Survivor> survivor;
    for (const auto& [at, silence] : session.answers) {
      if (at <= first_) continue;
      if (!survivor) survivor = Survivor{silence, {}, session.opened, session.last_answer};
      survivor->silent_for = std::max(survivor->silent_for, silence);
    }
    if (survivor) evidence.survivors.push_back(*survivor);
  }
  evidence.unanswered_before = unanswered_;
  evidence.survived_silence = survived_.longest_since(kBegin);
  for (const auto& [at, lasted] : doubtful_) {
    const auto survived = survived_.longest_since(at);
    if (!survived || *survived < lasted) evidence.fell_before.push_back(lasted);
  }
  return evidence;
}

void SimulatedPath::judge() {
  const Evidence evidence = complete();
  for (; counted_ < evidence.drops.size(); ++counted_) {
    told_.push_back(attribute(evidence, evidence.drops[counted_]));
  }
  step_ = Step::kArriving;
}

void SimulatedPath::conclude() {
  const Evidence evidence = complete();
  told_.push_back(attribute(evidence));
  for (const Drop& drop : evidence.drops) {
    if (drop.probe != ProbeKind::kIdle) continue;
    --undecided_;
    if (attribute(evidence, drop).cause == Cause::kPathIdleTimeout) {
      ladder_.dropped(std::chrono::duration_cast<milliseconds>(drop.silent_for));
    }
  }
  const auto at = evidence.drops.front().at;
  for (const auto lasted : unanswered_silences(evidence)) unanswered_.push_back(lasted);
  for (const auto lasted : doubtful_silences(evidence)) doubtful_.push_back({at, lasted});
  step_ = Step::kQuiet;
}

}  // namespace pgconn::probes
