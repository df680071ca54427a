// The order of the rules, and what several of them share.
#include "probes/drops/attribution_rules.h"

#include <array>
#include <utility>

#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

constexpr std::array<Rule, 14> kRules = {
    reason_of_server,         // the server said why
    words_of_pooler,          // PgBouncer said why
    server_died,              //
    crash_of_another,         // 57P02
    terminated_or_shut_down,  // 57P01
    other_words,              // any other SQLSTATE; the rest are for drops without a message
    broken_tls,               //
    victim_of_crash,          //
    restarted_without_words,  //
    forgotten_by_path,        //
    silent_network,           //
    cut_by_network,           //
    pooler_gone,              //
    nothing_reachable,
};

}  // namespace

Ruling because(Cause cause, std::string_view what, const Scene& scene) {
  return {cause, std::string(what) + "; " + std::string(describe(scene.server))};
}

Ruling crash(std::string_view what, const Scene& scene) {
  Ruling ruling = because(Cause::kCrash, what, scene);
  if (scene.evidence.oom_kill_counted == true) {
    ruling.cause = Cause::kOomKill;
    ruling.because += "; the kernel counted an OOM kill";
  }
  return ruling;
}

// An OOM kill can take down a whole container, or the postmaster alone: then it was no clean stop.
Ruling shutdown(std::string_view what, const Scene& scene) {
  if (scene.evidence.oom_kill_counted != true) {
    return because(Cause::kServerShutdown, what, scene);
  }
  Ruling ruling = because(Cause::kUnknown, what, scene);
  ruling.because += "; but the kernel counted an OOM kill";
  return ruling;
}

namespace {

// Counts only connections held when the first one dropped, not one that was opened since and
// dropped again.
template <typename Predicate>
std::ptrdiff_t fallen_of_held(const Evidence& evidence, Predicate predicate) {
  if (evidence.drops.empty()) return 0;
  const auto by_time = [](const Drop& one, const Drop& other) { return one.at < other.at; };
  const auto begin = std::min_element(evidence.drops.begin(), evidence.drops.end(), by_time)->at;
  return std::count_if(evidence.drops.begin(), evidence.drops.end(),
                       [&](const Drop& drop) { return drop.opened <= begin && predicate(drop); });
}

}  // namespace

std::ptrdiff_t connections_fallen(const Evidence& evidence) {
  return fallen_of_held(evidence, [](const Drop&) { return true; });
}

bool all_fell(const Evidence& evidence) {
  if (!evidence.held || !evidence.survivors.empty() || evidence.drops.empty()) return false;
  const auto fallen = fallen_of_held(
      evidence, [](const Drop& drop) { return drop.probe != ProbeKind::kLongquery; });
  return fallen >= std::max(*evidence.held, 1);
}

// The full silence of the drop counts: a proxy on the path does not treat keepalives as activity.
bool one_as_silent_survived(const Evidence& evidence, const Drop& drop) {
  return std::any_of(
      evidence.survivors.begin(), evidence.survivors.end(), [&](const Survivor& survivor) {
        return silence_on_path(evidence, survivor.silent_for, survivor.keepalive_gap) >=
               drop.silent_for;
      });
}

Ruling rule_on(const Evidence& evidence, const Drop& drop) {
  const Scene scene{evidence, drop, fate_of_server(evidence, drop)};
  for (const Rule rule : kRules) {
    if (Decision decision = rule(scene)) return with_testimonies(scene, std::move(*decision));
  }
  const std::string_view survived = what_survivors_leave_open(evidence, drop);
  const bool taken = drop.acknowledged == true;
  return with_testimonies(
      scene, because(Cause::kUnknown,
                     std::string(drop.error.what()) +
                         (taken ? ", though the peer's kernel took the question; " : "; ") +
                         std::string(survived),
                     scene));
}

}  // namespace pgconn::probes
