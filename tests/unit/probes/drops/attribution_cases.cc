#include "tests/unit/probes/drops/attribution_cases.h"

#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

namespace {

const std::string kTerminate = "terminating connection due to administrator command";
const std::string kImmediate = "terminating connection due to immediate shutdown command";
const std::string kOtherCrashed =
    "terminating connection because of crash of another server process";
const std::string kRecovering = "the database system is in recovery mode";
const std::string kStopping = "the database system is shutting down";
const std::string kStarting = "the database system is starting up";
const std::string kGerman = "das Datenbanksystem ist im Wiederherstellungsmodus";

Cases said_by_the_server() {
  return {
      {"idle_in_transaction_session_timeout says so itself",
       Given().canary(fatal("25P03")).held(3).survivor(5), Cause::kIdleInTransactionTimeout,
       Scope::kOne},
      {"idle_session_timeout says so itself, and takes only the silent ones",
       Given().canary(fatal("57P05")).canary(fatal("57P05")).held(3).survivor(5),
       Cause::kIdleSessionTimeout, Scope::kIdleOnly},
      {"idle_session_timeout took several, and nobody knows of the others",
       Given().canary(fatal("57P05")).canary(fatal("57P05")).held(3), Cause::kIdleSessionTimeout,
       Scope::kIdleOnly},
      {"transaction_timeout says so itself", Given(170000).roundtrip(fatal("25P04")).held(3),
       Cause::kTransactionTimeout, Scope::kOne},
      {"a timeout of the server stays one while the server restarts",
       Given().canary(fatal("57P05")).held(1).restarted(), Cause::kIdleSessionTimeout, Scope::kOne},
      {"a session that conflicts with recovery says so itself",
       Given()
           .canary(fatal("40001", "terminating connection due to conflict with recovery"))
           .held(3)
           .untouched(),
       Cause::kRecoveryConflict, Scope::kOne},
      {"a standby that replays the end of our database ends our sessions for that",
       Given().canary(fatal("57P04")).held(3).untouched(), Cause::kRecoveryConflict, Scope::kOne},
      {"a connection that the server lost has no cause of ours",
       Given().roundtrip(fatal("08006", "connection to client lost")).held(3).untouched(),
       Cause::kUnknown, Scope::kOne},
      {"two that ended for different reasons have no common cause",
       Given().canary(fatal("57P05")).roundtrip(fatal("57P01", kTerminate)).held(3).untouched(),
       Cause::kUnknown, Scope::kSome, true},
  };
}

Cases terminated_or_stopped() {
  return {
      {"pg_terminate_backend of one session",
       Given().roundtrip(fatal("57P01", kTerminate)).held(3).survivor(60).untouched(),
       Cause::kAdminTerminate, Scope::kOne},
      {"pg_terminate_backend of one silent session is no idle pattern",
       Given().canary(fatal("57P01", kTerminate)).held(3).survivor(5).untouched(),
       Cause::kAdminTerminate, Scope::kOne},
      {"pg_terminate_backend of all",
       Given(130000)
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(2)
           .untouched(),
       Cause::kAdminTerminate, Scope::kAll},
      {"pg_terminate_backend of two of three",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(3)
           .untouched(),
       Cause::kAdminTerminate, Scope::kSome},
      {"pg_terminate_backend of both silent ones, while the lively one answers",
       Given()
           .canary(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(3)
           .survivor(5)
           .untouched(),
       Cause::kAdminTerminate, Scope::kIdleOnly},
      {"pg_terminate_backend of two silent ones, while a more silent one answers",
       Given()
           .canary(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(3)
           .survivor(90)
           .untouched(),
       Cause::kAdminTerminate, Scope::kSome},
      {"pg_terminate_backend as a bare role sees it",
       Given().roundtrip(fatal("57P01", kTerminate)).held(3).untouched().bare_role(),
       Cause::kAdminTerminate, Scope::kOne},
      {"pg_terminate_backend on a standby that is promoted meanwhile, which ends no session",
       Given().roundtrip(fatal("57P01", kTerminate)).held(3).survivor(60).untouched(),
       Cause::kAdminTerminate, Scope::kOne},
      {"57P01 without knowing whether a new session can be had",
       Given().roundtrip(fatal("57P01", kTerminate)).held(1), Cause::kUnknown, Scope::kOne},
      {"57P01 and the slots are full: the server is there, but which one?",
       Given().roundtrip(fatal("57P01", kTerminate)).held(1).down(too_many()), Cause::kUnknown,
       Scope::kOne},
      {"57P01 and new sessions are turned away, while another answers",
       Given().roundtrip(fatal("57P01", kTerminate)).held(3).survivor(60).down(rejected()),
       Cause::kAdminTerminate, Scope::kOne},
      {"57P01 of all and new sessions are turned away: the server is there, but which one?",
       Given().roundtrip(fatal("57P01", kTerminate)).held(1).down(rejected()), Cause::kUnknown,
       Scope::kOne},
      {"57P01 of all, and their database is gone",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(2)
           .down(no_database()),
       Cause::kAdminTerminate, Scope::kAll},
      {"57P01 and a newer crash restart contradict each other",
       Given().roundtrip(fatal("57P01", kTerminate)).held(1).crash_restarted(), Cause::kUnknown,
       Scope::kOne, true},
      {"57P01, then 57P03, then the same server without a crash contradict each other",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .held(1)
           .refused_at_first(not_accepting(kStopping))
           .untouched(),
       Cause::kUnknown, Scope::kOne, true},
      {"a restart takes one as well that the path had forgotten, and that heard nothing of it",
       Given().roundtrip(fatal("57P01", kTerminate)).canary(unanswered()).held(2).restarted(),
       Cause::kServerShutdown, Scope::kAll},
      {"a shutdown takes one as well that the path had forgotten",
       Given().roundtrip(fatal("57P01", kTerminate)).canary(unanswered()).held(2).down(refused()),
       Cause::kServerShutdown, Scope::kAll},
      {"a crash takes one as well that the path had forgotten",
       Given()
           .roundtrip(fatal("57P02", kOtherCrashed))
           .canary(unanswered())
           .held(2)
           .crash_restarted(),
       Cause::kCrash, Scope::kAll},
      {"one that is terminated beside one that goes unanswered have no common cause",
       Given().roundtrip(fatal("57P01", kTerminate)).canary(unanswered()).held(2).untouched(),
       Cause::kUnknown, Scope::kAll, true},
      {"a fast shutdown, seen while it lasts",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(2)
           .down(not_accepting(kStopping)),
       Cause::kServerShutdown, Scope::kAll},
      {"a fast shutdown in another language",
       Given()
           .roundtrip(fatal("57P01"))
           .held(1)
           .down(not_accepting("das Datenbanksystem wird heruntergefahren")),
       Cause::kServerShutdown, Scope::kOne},
      {"a fast shutdown that stays down",
       Given(130000)
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(2)
           .down(refused()),
       Cause::kServerShutdown, Scope::kAll},
      {"a fast restart",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(2)
           .refused_at_first(refused())
           .refused_at_first(not_accepting(kStarting))
           .restarted(),
       Cause::kServerShutdown, Scope::kAll},
      {"a fast restart so quick that no attempt failed",
       Given().roundtrip(fatal("57P01", kTerminate)).held(1).restarted().bare_role(),
       Cause::kServerShutdown, Scope::kOne},
      {"a switchover: the primary was stopped and another server has its address",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .canary(fatal("57P01", kTerminate))
           .held(2)
           .refused_at_first(refused())
           .elsewhere(kStart - 900'000),
       Cause::kServerShutdown, Scope::kAll},
      {"57P01 and another server at once, so it may be that we knew the wrong one",
       Given().roundtrip(fatal("57P01", kTerminate)).held(1).elsewhere(kNow - 7'000),
       Cause::kUnknown, Scope::kOne, true},
      {"a smart shutdown ends nothing, so what fell under it is somebody else's doing",
       Given()
           .roundtrip(fatal("57P01", kTerminate))
           .held(3)
           .survivor(60)
           .down(not_accepting(kStopping)),
       Cause::kUnknown, Scope::kOne, true},
      {"an immediate shutdown, 14 and later: a warning, and then nobody listens",
       Given(150000)
           .roundtrip(warned("57P01", kImmediate))
           .canary(warned("57P01", kImmediate))
           .held(2)
           .down(refused()),
       Cause::kServerShutdown, Scope::kAll},
      {"an immediate restart, 14 and later",
       Given(150000)
           .roundtrip(warned("57P01", kImmediate))
           .canary(warned("57P01", kImmediate))
           .held(2)
           .refused_at_first(not_accepting(kStopping))
           .refused_at_first(closed())
           .restarted(),
       Cause::kServerShutdown, Scope::kAll},
      {"an immediate shutdown, 13: 57P02, and then nobody listens",
       Given(130000)
           .roundtrip(warned("57P02", kOtherCrashed))
           .canary(warned("57P02", kOtherCrashed))
           .held(2)
           .refused_at_first(closed())
           .down(refused()),
       Cause::kServerShutdown, Scope::kAll},
      {"an immediate restart, 13",
       Given(130000)
           .roundtrip(warned("57P02", kOtherCrashed))
           .canary(warned("57P02", kOtherCrashed))
           .held(2)
           .restarted(),
       Cause::kServerShutdown, Scope::kAll},
      {"57P02 and a new start, and nobody knows which version said it",
       [] {
         Evidence evidence = Given().roundtrip(warned("57P02", kOtherCrashed)).held(1).restarted();
         evidence.server_version.reset();
         return evidence;
       }(),
       Cause::kUnknown, Scope::kOne},
      {"a warning 57P01 from a server that is still the same",
       Given().roundtrip(warned("57P01")).held(1).untouched(), Cause::kUnknown, Scope::kOne, true},
      {"a restart that took the words along",
       Given().roundtrip(closed()).canary(closed()).held(2).restarted(), Cause::kServerShutdown,
       Scope::kAll},
      {"a restart, told by a bare close and the server's own words to the next session",
       Given().roundtrip(closed()).held(1).down(not_accepting(kStarting)), Cause::kServerShutdown,
       Scope::kOne},
      {"a whole container killed for want of memory is no shutdown",
       Given().roundtrip(closed()).canary(closed()).held(2).restarted().oom(true), Cause::kUnknown,
       Scope::kAll, true},
      {"a failover: another server has the address, an older one",
       Given().roundtrip(closed()).canary(closed()).held(2).elsewhere(kStart - 900'000),
       Cause::kUnknown, Scope::kAll},
      {"a failover to a standby that was started later, but long before the drop",
       Given().roundtrip(closed()).canary(closed()).held(2).elsewhere(kNow - 7'000),
       Cause::kUnknown, Scope::kAll, true},
  };
}

Cases crashed() {
  const PgError notice = warned("57P02", kOtherCrashed);
  return {
      {"another backend was killed, 14 and later: no further evidence is needed",
       Given(140000).roundtrip(notice).canary(notice).held(2), Cause::kCrash, Scope::kAll},
      {"another backend was killed, seen whole",
       Given()
           .roundtrip(notice)
           .canary(notice)
           .held(2)
           .refused_at_first(not_accepting(kRecovering))
           .crash_restarted()
           .oom(false),
       Cause::kCrash, Scope::kAll},
      {"another backend was killed for want of memory",
       Given().roundtrip(notice).canary(notice).held(2).crash_restarted().oom(true),
       Cause::kOomKill, Scope::kAll},
      {"another backend was killed, 13: the same start time",
       Given(130000).roundtrip(notice).canary(notice).held(2).crash_restarted(), Cause::kCrash,
       Scope::kAll},
      {"another backend was killed, 13, as a bare role sees it",
       Given(130000).roundtrip(notice).held(1).untouched().bare_role(), Cause::kCrash, Scope::kOne},
      {"another backend was killed, 13, seen while the server recovers",
       Given(130000).roundtrip(notice).held(1).down(not_accepting(kRecovering)), Cause::kCrash,
       Scope::kOne},
      {"57P02 from 13, and 57P03 in another language: a crash or an immediate shutdown",
       Given(130000).roundtrip(notice).held(1).down(not_accepting(kGerman)), Cause::kUnknown,
       Scope::kOne},
      {"57P02 from 13 and nothing else", Given(130000).roundtrip(notice).held(1), Cause::kUnknown,
       Scope::kOne},
      {"a crash with restart_after_crash off, 14 and later",
       Given().roundtrip(notice).canary(notice).held(2).restarted(), Cause::kCrash, Scope::kAll},
      {"57P02 from a server whose times deny a crash",
       Given().roundtrip(notice).held(1).untouched(), Cause::kUnknown, Scope::kOne, true},
      {"our own backend was killed: nothing said, but a newer crash restart",
       Given().roundtrip(closed()).held(1).crash_restarted(), Cause::kCrash, Scope::kOne},
      {"our own backend was killed for want of memory",
       Given(130000).roundtrip(closed()).held(1).crash_restarted().oom(true), Cause::kOomKill,
       Scope::kOne},
      {"our own backend was killed, the others say 57P02",
       Given().roundtrip(closed()).canary(notice).canary(notice).held(3), Cause::kCrash,
       Scope::kAll},
      {"our own backend was killed, the others say 57P02, 13",
       Given(130000)
           .roundtrip(closed())
           .canary(notice)
           .held(2)
           .refused_at_first(not_accepting(kGerman))
           .untouched()
           .bare_role(),
       Cause::kCrash, Scope::kAll},
      {"on 13, 57P02 beside a bare close and a new start: a crash, or a shutdown?",
       Given(130000).roundtrip(closed()).canary(notice).held(2).restarted(), Cause::kUnknown,
       Scope::kAll, true},
      {"our own backend was killed, seen while the server recovers",
       Given().roundtrip(closed()).held(1).down(not_accepting(kRecovering)), Cause::kCrash,
       Scope::kOne},
      {"our own backend was killed a second time after an earlier crash",
       [] {
         Evidence evidence = Given().roundtrip(closed()).held(1).crash_restarted();
         evidence.before.crash_restart_time = kCrashBefore;
         return evidence;
       }(),
       Cause::kCrash, Scope::kOne},
      {"our own backend got SIGQUIT, 14 and later: a warning 57P01, which looks like a shutdown",
       Given(150000)
           .roundtrip(warned("57P01",
                             "terminating connection because of unexpected "
                             "SIGQUIT signal"))
           .held(1)
           .refused_at_first(not_accepting(kRecovering))
           .crash_restarted(),
       Cause::kCrash, Scope::kOne},
      {"the postmaster was killed: 57P01, and nobody listens, but no shutdown",
       Given()
           .roundtrip(fatal("57P01", "terminating connection due to unexpected postmaster exit"))
           .held(1)
           .down(refused()),
       Cause::kCrash, Scope::kOne},
      {"our own backend panicked",
       Given()
           .roundtrip(PgError(Phase::kQuery, Reason::kServerError, "XX000",
                              "PANIC: could not write to file", true))
           .held(1),
       Cause::kCrash, Scope::kOne},
      {"a close, and a bare role that cannot see crash restarts",
       Given().roundtrip(closed()).held(1).untouched().bare_role(), Cause::kUnknown, Scope::kOne},
      {"a crash restart that has unhappened: a clock was set back",
       [] {
         Evidence evidence = Given().roundtrip(closed()).held(1).untouched();
         evidence.before.crash_restart_time = kCrashBefore;
         return evidence;
       }(),
       Cause::kUnknown, Scope::kOne, true},
      {"a newer crash restart, but from before the connection's last answer",
       [] {
         Evidence evidence = Given().roundtrip(closed()).held(1).crash_restarted();
         evidence.after.crash_restart_time = kCrashBefore;
         return evidence;
       }(),
       Cause::kUnknown, Scope::kOne, true},
      {"a crash restart that others outlived is another server's",
       Given().roundtrip(closed()).held(2).survivor(60).crash_restarted(), Cause::kUnknown,
       Scope::kOne, true},
  };
}

}  // namespace

const Cases& attribution_cases() {
  static const Cases all = [] {
    Cases joined;
    for (const Cases& part : {said_by_the_server(), terminated_or_stopped(), crashed(),
                              lost_on_the_way(), silent_or_old(), through_a_pooler()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

}  // namespace pgconn::probes
