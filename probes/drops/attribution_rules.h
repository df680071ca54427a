// The rules by which one drop is attributed, each a small function that decides or passes. Internal
// to attribution. Pure; any thread.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "probes/drops/attribution.h"
#include "probes/drops/server_fate.h"

namespace pgconn::probes {

struct Ruling {
  Cause cause = Cause::kUnknown;
  std::string because;
};

// The first rule that applies decides; if none does, kUnknown with what is known.
Ruling rule_on(const Evidence& evidence, const Drop& drop);

// One drop in the light of the evidence, and the fate of its server.
struct Scene {
  const Evidence& evidence;
  const Drop& drop;
  ServerFate server;

  const std::string& sqlstate() const { return drop.error.sqlstate(); }
  std::string_view words() const { return drop.error.what(); }
  bool server_is(std::initializer_list<ServerFate> fates) const {
    return std::find(fates.begin(), fates.end(), server) != fates.end();
  }
};

using Decision = std::optional<Ruling>;
using Rule = Decision (*)(const Scene&);

// For drops with a message, in the order in which they are tried.
Decision reason_of_server(const Scene& scene);  // a session timeout, a conflict with recovery
Decision words_of_pooler(const Scene& scene);
Decision server_died(const Scene& scene);
Decision crash_of_another(const Scene& scene);         // 57P02
Decision terminated_or_shut_down(const Scene& scene);  // 57P01
Decision other_words(const Scene& scene);              // any other SQLSTATE

// For drops without a message.
Decision broken_tls(const Scene& scene);
Decision victim_of_crash(const Scene& scene);
Decision restarted_without_words(const Scene& scene);
Decision forgotten_by_path(const Scene& scene);
Decision silent_network(const Scene& scene);
Decision cut_by_network(const Scene& scene);
Decision pooler_gone(const Scene& scene);
Decision nothing_reachable(const Scene& scene);

// --- Shared by several rules ---

Ruling because(Cause cause, std::string_view what, const Scene& scene);
// kCrash, or kOomKill if one was counted.
Ruling crash(std::string_view what, const Scene& scene);
// kServerShutdown, or kUnknown if an OOM kill was counted.
Ruling shutdown(std::string_view what, const Scene& scene);

// The other side closed or reset it without a message.
bool ended_without_words(const Drop& drop);
bool has_crash_notice(const Drop& drop);  // 57P02
bool crash_notice_is_certain(const Scene& scene);

// One canary went unanswered, which may only mean that its server process is stopped and says
// nothing about the path. It takes two that drop together, or one after another after similar
// silences.
bool may_be_a_stuck_process(const Evidence& evidence);

// The ruling in the light of the testimonies: they decide an open one, and one that they contradict
// becomes kUnknown. In testimony.cc.
Ruling with_testimonies(const Scene& scene, Ruling ruling);

// How many different connections dropped.
std::ptrdiff_t connections_fallen(const Evidence& evidence);
// Every held connection that can be asked is among the drops, and none has proved alive.
bool all_fell(const Evidence& evidence);
// A connection that has answered since had been silent on its path for as long.
bool one_as_silent_survived(const Evidence& evidence, const Drop& drop);

template <typename Predicate>
bool any_drop(const Scene& scene, Predicate predicate) {
  return std::any_of(scene.evidence.drops.begin(), scene.evidence.drops.end(), predicate);
}

}  // namespace pgconn::probes
