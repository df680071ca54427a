// Attribution of drops without a message: closed, reset, or no longer answering. The server's start
// times and the other drops must show why.
#include "probes/drops/attribution_rules.h"
#include "probes/drops/silence_or_age.h"

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

// No answer. The kernel reports a peer that stopped acknowledging as unreachable if a router or the
// neighbour table has meanwhile reported that.
bool is_silence(const PgError& error) {
  return error.sqlstate().empty() &&
         (error.reason() == Reason::kTimeout || error.reason() == Reason::kUnreachable);
}

// Retransmissions, keepalives or tcp_user_timeout ran out: not even the peer's kernel answered.
bool kernel_gave_up(const PgError& error) {
  return is_silence(error) &&
         (error.reason() == Reason::kUnreachable || error.phase() == Phase::kIdle ||
          std::string_view(error.what()).find("timed out") != std::string_view::npos);
}

bool only_silent_fell(const Scene& scene) {
  return !scene.evidence.survivors.empty() && !any_drop(scene, [&](const Drop& drop) {
    return !may_be_its_silence(scene.evidence, drop);
  });
}

bool new_connection_went_silent(const Scene& scene) {
  const auto& failed = scene.evidence.failed_reconnects;
  return std::any_of(failed.begin(), failed.end(), [](const PgError& error) {
    return error.phase() == Phase::kTcp && is_silence(error);
  });
}

// New sessions were tried until time was up, and nobody answered.
bool out_of_reach(const Scene& scene) {
  const auto& failed = scene.evidence.failed_reconnects;
  return scene.evidence.reconnected == false && !failed.empty() &&
         std::all_of(failed.begin(), failed.end(), [](const PgError& error) {
           return error.reason() == Reason::kRefused || error.reason() == Reason::kReset ||
                  error.reason() == Reason::kClosed || is_silence(error);
         });
}

bool lively_went_silent(const Scene& scene) {
  return any_drop(scene, [](const Drop& drop) {
    return drop.probe == ProbeKind::kRoundtrip && is_silence(drop.error);
  });
}

// Not even the peer's kernel acknowledged any query.
bool none_was_acknowledged(const Scene& scene) {
  return !any_drop(scene, [](const Drop& drop) {
    return went_unanswered(drop) && drop.acknowledged != std::optional(false);
  });
}

// A new session that is answered after a pause says nothing about connections lost during it. One
// that is answered while another still waits, and keeps waiting, does: a paused server would have
// answered both.
bool new_session_was_answered_meanwhile(const Scene& scene) {
  constexpr std::chrono::milliseconds kBoth(500);
  const auto& sessions = scene.evidence.new_sessions;
  return any_drop(scene, [&](const Drop& drop) {
    return went_unanswered(drop) && drop.asked &&
           std::any_of(sessions.begin(), sessions.end(), [&](const NewSession& session) {
             return *drop.asked <= session.answered && session.answered + kBoth <= drop.at;
           });
  });
}

bool has_last_words(const Drop& drop) {
  return drop.error.sqlstate() == "57P01" || has_crash_notice(drop);
}

// The server told other connections that it ends them all. A path that has forgotten a silent
// connection keeps that message from us, and our query from being refused.
bool missed_last_words(const Scene& scene) {
  return went_unanswered(scene.drop) && any_drop(scene, has_last_words);
}

}  // namespace

bool ended_without_words(const Drop& drop) {
  return drop.error.sqlstate().empty() &&
         (drop.error.reason() == Reason::kClosed || drop.error.reason() == Reason::kReset);
}

bool went_unanswered(const Drop& drop) {
  return is_silence(drop.error) && !kernel_gave_up(drop.error);
}

bool may_be_a_stuck_process(const Evidence& evidence) {
  const Drop& lone = evidence.drops.front();
  if (evidence.drops.size() > 1 || lone.probe == ProbeKind::kRoundtrip || !went_unanswered(lone)) {
    return false;
  }
  const auto& before = evidence.unanswered_before;
  return std::none_of(before.begin(), before.end(), [&](auto silence) {
    return silence <= 2 * lone.silent_for && lone.silent_for <= 2 * silence;
  });
}

Decision broken_tls(const Scene& scene) {
  if (!scene.sqlstate().empty() || scene.drop.error.reason() != Reason::kTls) return std::nullopt;
  return Ruling{Cause::kTlsError,
                "TLS broke on the established connection: " + std::string(scene.words())};
}

// The backend that was killed says nothing; the others say 57P02.
Decision victim_of_crash(const Scene& scene) {
  if (!ended_without_words(scene.drop) && !missed_last_words(scene)) return std::nullopt;
  if (any_drop(scene, has_crash_notice)) {
    if (scene.server == ServerFate::kUntouched || !crash_notice_is_certain(scene)) {
      return because(Cause::kUnknown, "ended without a word beside others with 57P02", scene);
    }
    return crash("ended without a word beside others with 57P02", scene);
  }
  if (scene.server == ServerFate::kReset) return crash("ended without a word", scene);
  return std::nullopt;
}

Decision restarted_without_words(const Scene& scene) {
  if (!ended_without_words(scene.drop) && !missed_last_words(scene)) return std::nullopt;
  const bool down = scene.server_is({ServerFate::kRestarted, ServerFate::kStopping}) ||
                    (any_drop(scene, has_last_words) && scene.server == ServerFate::kRefusing);
  if (!down) return std::nullopt;
  return shutdown("ended without a word", scene);
}

// In either form: some middleboxes reset flows that they have forgotten, some drop them silently.
Decision forgotten_by_path(const Scene& scene) {
  const bool wordless = !any_drop(scene, [](const Drop& drop) {
    return !ended_without_words(drop) && !is_silence(drop.error);
  });
  if (!wordless || !only_silent_fell(scene) || may_be_a_stuck_process(scene.evidence))
    return std::nullopt;
  // If new connections fail as well, this is not a forgotten flow.
  if (new_connection_went_silent(scene) || out_of_reach(scene)) return std::nullopt;
  if (!scene.server_is({ServerFate::kUnknown, ServerFate::kUntouched, ServerFate::kSameStart})) {
    return std::nullopt;
  }
  return because(
      Cause::kPathIdleTimeout,
      "only connections fell that had been silent for longer than those that answer, and were "
      "no older",
      scene);
}

Decision silent_network(const Scene& scene) {
  if (!is_silence(scene.drop.error) || !scene.evidence.survivors.empty()) return std::nullopt;
  // A peer whose kernel acknowledges us is reachable: it is stuck, paused or too busy.
  if (any_drop(scene, [](const Drop& drop) { return drop.acknowledged == true; })) {
    return std::nullopt;
  }
  if (!scene.server_is({ServerFate::kUnknown, ServerFate::kUntouched, ServerFate::kSameStart,
                        ServerFate::kRefusing})) {
    return std::nullopt;
  }
  if (new_connection_went_silent(scene)) {
    return because(Cause::kNetworkSilent, "no answer, nor to a new TCP connection", scene);
  }
  if (!all_fell(scene.evidence) || !lively_went_silent(scene)) return std::nullopt;
  if (any_drop(scene, [](const Drop& drop) { return kernel_gave_up(drop.error); })) {
    return because(Cause::kNetworkSilent, "all fell, and not even the peer's kernel answered",
                   scene);
  }
  if (scene.server == ServerFate::kUntouched && none_was_acknowledged(scene) &&
      new_session_was_answered_meanwhile(scene)) {
    return because(Cause::kNetworkSilent,
                   "all fell silent, and a new session was answered while they were not", scene);
  }
  return std::nullopt;
}

// Something on the path closed it: the server did not.
Decision cut_by_network(const Scene& scene) {
  // A pooler that restarts or is killed also closes without a message.
  if (!ended_without_words(scene.drop) || scene.evidence.pooler) return std::nullopt;
  if (any_drop(scene, [](const Drop& drop) { return !drop.error.sqlstate().empty(); })) {
    return std::nullopt;
  }
  const bool lively_fell =
      any_drop(scene, [](const Drop& drop) { return drop.probe == ProbeKind::kRoundtrip; });
  if (all_fell(scene.evidence) && lively_fell &&
      scene.server_is({ServerFate::kUntouched, ServerFate::kWalledOff})) {
    return because(Cause::kNetworkReset, "all were closed without a word, lively ones too", scene);
  }
  // No connection survives a crash restart, so a survivor rules one out even if its time cannot be
  // seen.
  const bool same =
      scene.server_is({ServerFate::kUntouched, ServerFate::kSameStart, ServerFate::kWalledOff});
  if (same && one_as_silent_survived(scene.evidence, scene.drop)) {
    return because(Cause::kNetworkReset,
                   "closed without a word while one answers that had been as silent", scene);
  }
  return std::nullopt;
}

// A pooler that is stopped or killed closes without a message; the server behind it goes on.
Decision pooler_gone(const Scene& scene) {
  const Evidence& evidence = scene.evidence;
  const bool refused =
      std::any_of(evidence.failed_reconnects.begin(), evidence.failed_reconnects.end(),
                  [](const PgError& error) { return error.reason() == Reason::kRefused; });
  if (!evidence.pooler || !refused || !evidence.survivors.empty()) return std::nullopt;
  if (any_drop(scene, [](const Drop& drop) { return !ended_without_words(drop); })) {
    return std::nullopt;
  }
  if (!scene.server_is({ServerFate::kUntouched, ServerFate::kSameStart})) return std::nullopt;
  return because(Cause::kPoolerClose, "closed without a word, and nobody listened for the pooler",
                 scene);
}

Decision nothing_reachable(const Scene& scene) {
  // A pooler that accepts clients but does not answer is reachable: it is waiting for a server.
  const auto& failed = scene.evidence.failed_reconnects;
  if (scene.evidence.pooler && std::any_of(failed.begin(), failed.end(), [](const PgError& error) {
        return error.phase() != Phase::kTcp;
      })) {
    return std::nullopt;
  }
  if (!ended_without_words(scene.drop) && !is_silence(scene.drop.error)) return std::nullopt;
  // If the kernel gave up, the cause is a silent network or none at all.
  if (any_drop(scene, [](const Drop& drop) { return kernel_gave_up(drop.error); })) {
    return std::nullopt;
  }
  if (!out_of_reach(scene) || !scene.evidence.survivors.empty() ||
      !scene.server_is({ServerFate::kUnknown, ServerFate::kRefusing})) {
    return std::nullopt;
  }
  return Ruling{Cause::kServerUnreachable,
                "gone without a word, and no new session since: " +
                    std::string(scene.evidence.failed_reconnects.back().what())};
}

}  // namespace pgconn::probes
