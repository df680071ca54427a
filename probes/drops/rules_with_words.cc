// Attribution of drops whose last message says why: the server's (SQLSTATE) or a pooler's.
#include <array>

#include "probes/drops/attribution_rules.h"
#include "probes/drops/pooler_words.h"

namespace pgconn::probes {
namespace {

bool was_refused(const Evidence& evidence) {
  return std::any_of(evidence.failed_reconnects.begin(), evidence.failed_reconnects.end(),
                     [](const postgres::PgError& error) {
                       return error.reason() == postgres::Reason::kRefused ||
                              error.reason() == postgres::Reason::kStarting;
                     });
}

// Every attempt at a new session failed because our database is gone. A server that says so accepts
// sessions, and stopping or starting one never drops a database.
bool database_is_gone(const Evidence& evidence) {
  const auto& failed = evidence.failed_reconnects;
  return !evidence.pooler && !failed.empty() &&
         std::all_of(failed.begin(), failed.end(),
                     [](const postgres::PgError& error) { return error.sqlstate() == "3D000"; });
}

}  // namespace

// 57P02 means that another backend crashed; from 14 on it means nothing else, but 13 also sends it
// in an immediate shutdown.
bool has_crash_notice(const Drop& drop) { return drop.error.sqlstate() == "57P02"; }

bool crash_notice_is_certain(const Scene& scene) {
  return scene.evidence.server_version.value_or(0) >= 140000 ||
         scene.server_is({ServerFate::kReset, ServerFate::kSameStart});
}

Decision reason_of_server(const Scene& scene) {
  struct Reason {
    std::string_view sqlstate;
    Cause cause;
    std::string_view name;
  };
  constexpr std::array kReasons = {
      Reason{"25P03", Cause::kIdleInTransactionTimeout, "idle_in_transaction_session_timeout"},
      Reason{"57P05", Cause::kIdleSessionTimeout, "idle_session_timeout"},
      Reason{"25P04", Cause::kTransactionTimeout, "transaction_timeout"},
      Reason{"40001", Cause::kRecoveryConflict, "a conflict with recovery"},
      Reason{"57P04", Cause::kRecoveryConflict,
             "a conflict with recovery: the database was dropped on the primary"}};
  for (const Reason& reason : kReasons) {
    if (scene.sqlstate() != reason.sqlstate) continue;
    return Ruling{reason.cause,
                  "SQLSTATE " + scene.sqlstate() + " stands for " + std::string(reason.name)};
  }
  return std::nullopt;
}

Decision words_of_pooler(const Scene& scene) {
  const std::optional<Cause> cause = cause_in_pooler_words(scene.drop.error);
  if (!cause) return std::nullopt;
  return Ruling{*cause, "the pooler said: " + std::string(scene.words())};
}

std::optional<Cause> cause_in_own_words(const Drop& drop) {
  const Evidence nothing;
  const Scene scene{nothing, drop, ServerFate::kUnknown};
  for (const Rule rule : {reason_of_server, words_of_pooler}) {
    if (const Decision decision = rule(scene)) return decision->cause;
  }
  return std::nullopt;
}

// Its own server process failed (PANIC), or the postmaster is gone and its processes noticed; the
// latter has the SQLSTATE of a shutdown.
Decision server_died(const Scene& scene) {
  if (scene.words().starts_with("PANIC: ")) return crash("its last word is a PANIC", scene);
  if (scene.sqlstate() == "57P01" &&
      scene.words().find("unexpected postmaster exit") != std::string_view::npos) {
    return crash("57P01 because the postmaster died", scene);
  }
  return std::nullopt;
}

Decision crash_of_another(const Scene& scene) {
  if (!has_crash_notice(scene.drop)) return std::nullopt;
  if (scene.server == ServerFate::kUntouched) {
    return because(Cause::kUnknown, "57P02 contradicts the server's times", scene);
  }
  if (crash_notice_is_certain(scene)) return crash("57P02, a backend crashed", scene);
  const bool stopped =
      scene.server_is({ServerFate::kRestarted, ServerFate::kStopping, ServerFate::kRefusing});
  const bool victim_beside = any_drop(scene, ended_without_words);
  if (scene.evidence.server_version && stopped && !victim_beside) {
    return shutdown("57P02 from PostgreSQL 13, which an immediate shutdown sends too", scene);
  }
  return because(Cause::kUnknown, "57P02, from a crash or (before 14) an immediate shutdown",
                 scene);
}

// A terminated session and a stopping server send the same message. A fast shutdown refuses new
// sessions before it ends the old ones, so a new session points to the administrator.
Decision terminated_or_shut_down(const Scene& scene) {
  if (scene.sqlstate() != "57P01") return std::nullopt;
  const bool same = scene.server_is({ServerFate::kUntouched, ServerFate::kSameStart});
  const bool as_error = !scene.words().starts_with("WARNING: ");
  if (database_is_gone(scene.evidence)) {
    if (!as_error || !(same || scene.server == ServerFate::kUnknown)) {
      return because(Cause::kUnknown, "57P01, and the database is gone", scene);
    }
    return because(Cause::kAdminTerminate, "57P01, and the database is gone", scene);
  }
  if (scene.server_is({ServerFate::kRestarted, ServerFate::kStopping, ServerFate::kRefusing})) {
    return shutdown("57P01", scene);
  }
  // A switchover stops the old server, but only a refusal shows that.
  if (scene.server == ServerFate::kElsewhere && was_refused(scene.evidence)) {
    return shutdown("57P01, new sessions were refused", scene);
  }
  // As a warning it announces an immediate shutdown, or SIGQUIT to this one backend, which the
  // postmaster treats as a crash; pg_terminate_backend and a fast shutdown are FATAL.
  if (!as_error) {
    if (scene.server == ServerFate::kReset) return crash("57P01 as a warning", scene);
    return because(Cause::kUnknown, "57P01 as a warning, from a shutdown or a crash", scene);
  }
  if (scene.server == ServerFate::kNotAccepting) return shutdown("57P01", scene);
  if (same) {
    return because(Cause::kAdminTerminate, "57P01 and a new session could be had", scene);
  }
  // No session outlives a stop. Behind a pooler the others may be at another server.
  if (scene.server == ServerFate::kUnknown && !scene.evidence.survivors.empty() &&
      !scene.evidence.pooler) {
    return because(Cause::kAdminTerminate, "57P01 while others answer", scene);
  }
  return because(Cause::kUnknown, "57P01, from a terminate or a shutdown", scene);
}

Decision other_words(const Scene& scene) {
  if (scene.sqlstate().empty()) return std::nullopt;
  return Ruling{Cause::kUnknown,
                "the peer ended it with SQLSTATE " + scene.sqlstate() +
                    ", which stands for no known cause: " + std::string(scene.words())};
}

}  // namespace pgconn::probes
