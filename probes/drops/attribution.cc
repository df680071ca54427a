// What the drops of an incident have in common: its scope, and the cause that they agree on. The
// rules for one drop are in attribution_rules.cc.
#include "probes/drops/attribution.h"

#include <algorithm>
#include <map>

#include "probes/drops/attribution_rules.h"
#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

// All canaries, at least two, and no connection that talks.
bool just_the_canaries_fell(const Evidence& evidence) {
  if (!evidence.silent || !evidence.held || *evidence.held <= *evidence.silent) return false;
  // A drop without a message may be due to age, unless an older connection still answers.
  const auto fits = [&](const Drop& drop) {
    const bool of_age = drop.error.sqlstate().empty() && !evidence.survivors.empty() &&
                        !older_one_answers(evidence, drop);
    return drop.probe == ProbeKind::kIdle && !of_age;
  };
  return std::all_of(evidence.drops.begin(), evidence.drops.end(), fits) &&
         connections_fallen(evidence) >= std::max(*evidence.silent, 2);
}

Scope scope_of(const Evidence& evidence) {
  const std::size_t fallen = evidence.drops.size();
  if (fallen == 0) return Scope::kOne;
  if (all_fell(evidence) && fallen > 1) return Scope::kAll;
  const Scope no_pattern = connections_fallen(evidence) > 1 ? Scope::kSome : Scope::kOne;
  if (fallen > 1 && std::all_of(evidence.drops.begin(), evidence.drops.end(), ended_for_idleness)) {
    return Scope::kIdleOnly;
  }
  if (just_the_canaries_fell(evidence)) return Scope::kIdleOnly;
  // For a drop without a message this is no pattern of silence if age may explain it.
  const bool silent =
      !evidence.survivors.empty() &&
      std::all_of(evidence.drops.begin(), evidence.drops.end(), [&](const Drop& drop) {
        return drop.error.sqlstate().empty() ? may_be_its_silence(evidence, drop)
                                             : more_silent_than_survivors(evidence, drop);
      });
  // A single drop of a silent connection is a pattern only if the server did not say why, and is
  // not itself a possible reason.
  const bool explained = !evidence.drops.front().error.sqlstate().empty();
  const bool pattern = fallen > 1 || !(explained || may_be_a_stuck_process(evidence));
  return silent && pattern ? Scope::kIdleOnly : no_pattern;
}

// "its drops ended for different reasons: 2 admin_terminate, 1 unknown"
std::string disagreement(const std::map<Cause, int>& counts) {
  std::string text = "its drops ended for different reasons";
  char separator = ':';
  for (const auto& [cause, count] : counts) {
    text += separator;
    text += ' ' + std::to_string(count) + ' ' + std::string(to_string(cause));
    separator = ',';
  }
  return text;
}

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::kAdminTerminate:
      return "admin_terminate";
    case Cause::kServerShutdown:
      return "server_shutdown";
    case Cause::kCrash:
      return "crash";
    case Cause::kOomKill:
      return "oom_kill";
    case Cause::kIdleInTransactionTimeout:
      return "idle_in_transaction_timeout";
    case Cause::kIdleSessionTimeout:
      return "idle_session_timeout";
    case Cause::kTransactionTimeout:
      return "transaction_timeout";
    case Cause::kRecoveryConflict:
      return "recovery_conflict";
    case Cause::kPathIdleTimeout:
      return "path_idle_timeout";
    case Cause::kNetworkReset:
      return "network_reset";
    case Cause::kNetworkSilent:
      return "network_silent";
    case Cause::kPoolerClose:
      return "pooler_close";
    case Cause::kPoolerServerLost:
      return "pooler_server_lost";
    case Cause::kTlsError:
      return "tls_error";
    case Cause::kServerUnreachable:
      return "server_unreachable";
    case Cause::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::kAll:
      return "all";
    case Scope::kIdleOnly:
      return "idle_only";
    case Scope::kSome:
      return "some";
    case Scope::kOne:
      return "one";
  }
  return "one";
}

bool ended_for_idleness(const Drop& drop) { return drop.error.sqlstate() == "57P05"; }

std::vector<Clock::duration> unanswered_silences(const Evidence& evidence) {
  const bool alone = evidence.drops.size() == 1 && !evidence.survivors.empty();
  std::vector<Clock::duration> silences;
  for (const Drop& drop : evidence.drops) {
    if (drop.probe == ProbeKind::kRoundtrip || !went_unanswered(drop)) continue;
    if (alone || attribute(evidence, drop).cause == Cause::kPathIdleTimeout) {
      silences.push_back(drop.silent_for);
    }
  }
  return silences;
}

Verdict attribute(const Evidence& evidence, const Drop& drop) {
  Ruling ruling = rule_on(evidence, drop);
  return {ruling.cause, scope_of(evidence), std::move(ruling.because)};
}

Verdict attribute(const Evidence& evidence) {
  if (evidence.drops.empty()) return {Cause::kUnknown, Scope::kOne, "nothing dropped"};
  Verdict verdict;
  verdict.scope = scope_of(evidence);
  std::map<Cause, int> counts;
  for (const Drop& drop : evidence.drops) {
    Ruling ruling = rule_on(evidence, drop);
    if (counts.empty()) {
      verdict.cause = ruling.cause;
      verdict.because = std::move(ruling.because);
    }
    ++counts[ruling.cause];
  }
  if (counts.size() > 1) {
    verdict.cause = Cause::kUnknown;
    verdict.because = disagreement(counts);
  }
  return verdict;
}

}  // namespace pgconn::probes
