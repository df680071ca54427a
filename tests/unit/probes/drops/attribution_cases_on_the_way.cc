// Cases in which the server plays no part: the network, and poolers in between.
#include "tests/unit/probes/drops/attribution_cases.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

Cases lost_on_the_way() {
  return {
      {"a middlebox forgot the silent ones and resets them",
       Given().canary(reset()).canary(reset(), 90).held(3).survivor(5).untouched(),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"a middlebox closed the silent one",
       Given().canary(closed()).held(3).survivor(5).survivor(30).untouched(),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"a middlebox forgot the silent one and says nothing, as it did before",
       Given()
           .canary(unanswered(), 235)
           .held(3)
           .survivor(5)
           .untouched()
           .bare_role()
           .unanswered_before(350),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"a middlebox forgot both silent ones and says nothing",
       Given().canary(unanswered()).canary(unanswered(), 90).held(3).survivor(5).untouched(),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"one canary went unanswered, which a process that is stopped leaves so too",
       Given().canary(unanswered()).held(3).survivor(5).untouched(), Cause::kUnknown, Scope::kOne},
      {"one canary went unanswered, and once another after a silence of another order",
       Given().canary(unanswered(), 30).held(3).survivor(5).untouched().unanswered_before(900),
       Cause::kUnknown, Scope::kOne},
      {"the kernel gave up on the silent one alone",
       Given().canary(kernel_gave_up()).held(3).survivor(5).untouched(), Cause::kPathIdleTimeout,
       Scope::kIdleOnly},
      {"only the silent one fell, and nothing is known of the server",
       Given().canary(closed()).held(3).survivor(5), Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"a silent one fell through a pooler", Given().canary(closed()).held(3).survivor(5).pooler(),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"the answer to a long query never comes, which a process that is stopped leaves so too",
       Given().longquery(unanswered()).held(3).survivor(5).untouched(), Cause::kUnknown,
       Scope::kOne},
      {"the answer to a long query never comes while lively ones answer, as before",
       Given().longquery(unanswered(), 600).held(3).survivor(5).untouched().unanswered_before(600),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"all that could be asked were reset beside a long query that could not",
       Given().roundtrip(reset()).canary(reset()).held(2).untouched(), Cause::kNetworkReset,
       Scope::kAll},
      {"a long query was reset while a more silent one lives",
       Given().longquery(reset()).held(3).survivor(900).untouched(), Cause::kNetworkReset,
       Scope::kOne},
      {"a silent one fell, and what became of the others is not known",
       Given().canary(reset()).held(3).untouched(), Cause::kUnknown, Scope::kOne},
      {"a silent one fell, the only one that was held", Given().canary(reset()).held(1).untouched(),
       Cause::kUnknown, Scope::kOne},
      {"a lively one was reset while a silent one lives",
       Given().roundtrip(reset()).held(2).survivor(60).untouched().bare_role(),
       Cause::kNetworkReset, Scope::kOne},
      {"a roundtrip that fell is no silent one, however long its interval",
       Given().roundtrip(reset(), 90).held(3).survivor(5).untouched(), Cause::kUnknown,
       Scope::kOne},
      {"a silent one was reset while a more silent one lives",
       Given().canary(reset(), 60).held(3).survivor(5).survivor(90).untouched(),
       Cause::kNetworkReset, Scope::kOne},
      {"a silent one fell while one that keepalives kept from being as silent lives",
       Given().canary(reset(), 60).held(2).survivor_kept_alive(90, 30).untouched(),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"the server's keepalives left both paths the same silence, and the longer quiet one fell",
       Given().canary(closed(), 300).held(2).survivor(100).server_keepalive(60).untouched(),
       Cause::kUnknown, Scope::kOne},
      {"all were reset, and the server is the same",
       Given().roundtrip(reset()).canary(reset()).held(2).untouched(), Cause::kNetworkReset,
       Scope::kAll},
      {"all were reset and new connections too, and then the same server answers",
       Given().roundtrip(reset()).canary(reset()).held(2).refused_at_first(refused()).untouched(),
       Cause::kNetworkReset, Scope::kAll},
      {"one was reset while another answers, though new connections were refused for a while",
       Given().roundtrip(reset()).held(2).survivor(60).refused_at_first(refused()).untouched(),
       Cause::kNetworkReset, Scope::kOne},
      {"all were reset and new connections too, and a crash is not known not to have been",
       Given()
           .roundtrip(reset())
           .canary(reset())
           .held(2)
           .refused_at_first(refused())
           .untouched()
           .bare_role(),
       Cause::kUnknown, Scope::kAll, true},
      {"all were reset and new connections refused, and there was a crash: by a balancer?",
       Given()
           .roundtrip(reset())
           .canary(reset())
           .held(2)
           .refused_at_first(refused())
           .crash_restarted(),
       Cause::kUnknown, Scope::kAll, true},
      {"all were closed, and the server is the same",
       Given(130000).roundtrip(closed()).canary(closed()).held(2).untouched(), Cause::kNetworkReset,
       Scope::kAll},
      {"all were closed, but by a pooler perhaps",
       Given().roundtrip(closed()).canary(closed()).held(2).untouched().pooler(), Cause::kUnknown,
       Scope::kAll},
      {"a pooler was killed and started again",
       Given()
           .roundtrip(closed())
           .canary(closed())
           .held(2)
           .untouched()
           .refused_at_first(refused())
           .pooler(),
       Cause::kPoolerClose, Scope::kAll},
      {"a pooler was stopped for good",
       Given().roundtrip(closed()).canary(reset()).held(2).down(refused()).pooler(),
       Cause::kServerUnreachable, Scope::kAll},
      {"a pooler waits for its server",
       Given().roundtrip(closed()).held(1).down(no_startup_answer()).pooler(), Cause::kUnknown,
       Scope::kOne},
      {"a pooler went down together with its server",
       Given().roundtrip(closed()).held(1).restarted().refused_at_first(refused()).pooler(),
       Cause::kServerShutdown, Scope::kOne},
      {"the link was cut: nothing answers, new connections neither",
       Given().roundtrip(unanswered()).canary(unanswered()).held(2).down(no_tcp_answer()),
       Cause::kNetworkSilent, Scope::kAll},
      {"the link was cut, and the kernel noticed it",
       Given().roundtrip(kernel_gave_up()).canary(kernel_gave_up()).held(2), Cause::kNetworkSilent,
       Scope::kAll},
      {"the link was cut, and the router said so",
       Given()
           .roundtrip(postgres::lost_error("could not receive data from server: No route to "
                                           "host",
                                           Phase::kQuery))
           .held(1)
           .down(postgres::connect_error("No route to host", Phase::kTcp)),
       Cause::kNetworkSilent, Scope::kOne},
      {"all flows were forgotten in silence, and a new one passes while they go unanswered",
       Given()
           .roundtrip(unanswered())
           .asked(2, false)
           .canary(unanswered())
           .asked(5, false)
           .held(2)
           .session_answered(4500)
           .untouched(),
       Cause::kNetworkSilent, Scope::kAll},
      {"all fell silent, and a new session came when they had: a pause that was just over?",
       Given()
           .roundtrip(unanswered())
           .asked(2, false)
           .canary(unanswered())
           .asked(2, false)
           .held(2)
           .session_answered(-400)
           .untouched(),
       Cause::kUnknown, Scope::kAll},
      {"all fell silent though their questions arrived: a pause, not the network",
       Given()
           .roundtrip(unanswered())
           .asked(2, true)
           .canary(unanswered())
           .asked(5, true)
           .held(2)
           .session_answered(4500)
           .untouched(),
       Cause::kUnknown, Scope::kAll, true},
      {"all fell silent, and whether their questions arrived is not known, as on a Unix socket",
       [] {
         Evidence evidence = Given()
                                 .roundtrip(unanswered())
                                 .asked(2, false)
                                 .canary(unanswered())
                                 .asked(5, false)
                                 .held(2)
                                 .session_answered(4500)
                                 .untouched();
         for (Drop& drop : evidence.drops) drop.acknowledged.reset();
         return evidence;
       }(),
       Cause::kUnknown, Scope::kAll},
      {"a paused pooler whose queue is full: it took the questions before",
       Given()
           .roundtrip(unanswered())
           .asked(2, true)
           .canary(unanswered())
           .asked(5, true)
           .held(2)
           .down(no_tcp_answer()),
       Cause::kServerUnreachable, Scope::kAll, true},
      {"all went silent, but no lively one was held: the path or more?",
       Given().canary(unanswered()).canary(unanswered()).held(2).untouched(), Cause::kUnknown,
       Scope::kAll},
      {"one query went unanswered, which a busy server may do too",
       Given().roundtrip(unanswered()).held(3).survivor(60).untouched(), Cause::kUnknown,
       Scope::kOne},
      {"the server is frozen: the kernel connects, nobody talks",
       Given().roundtrip(unanswered()).canary(unanswered()).held(2).down(no_startup_answer()),
       Cause::kServerUnreachable, Scope::kAll},
      {"closed, and then nobody listens: not known to be a shutdown",
       Given().roundtrip(closed()).canary(closed()).held(2).down(refused()),
       Cause::kServerUnreachable, Scope::kAll},
      {"closed, and the slots are full: the server can be reached",
       Given().roundtrip(closed()).held(1).down(too_many()), Cause::kUnknown, Scope::kOne},
      {"TLS broke", Given().roundtrip(broken_tls()).held(3).untouched(), Cause::kTlsError,
       Scope::kOne},
      {"no evidence but a close", Given().roundtrip(closed()), Cause::kUnknown, Scope::kOne},
  };
}

Cases through_a_pooler() {
  Cases cases;
  for (const char* text :
       {"client_idle_timeout", "idle transaction timeout", "query timeout", "query_wait_timeout",
        "database removed", "no more connections allowed (max_client_conn)",
        "transaction timeout"}) {
    cases.push_back({std::string("PgBouncer says ") + text,
                     Given().canary(fatal("08P01", text)).held(3).pooler(), Cause::kPoolerClose,
                     Scope::kOne});
  }
  for (const char* text :
       {"server conn crashed?", "server closed the connection",
        "pgbouncer cannot connect to server", "client_login_timeout (server down)",
        "server login has been failing, try again later (server_login_retry)"}) {
    cases.push_back({std::string("PgBouncer says ") + text,
                     Given().roundtrip(fatal("08P01", text)).held(1).pooler().restarted(),
                     Cause::kPoolerServerLost, Scope::kOne});
  }
  cases.push_back(
      {"08P01 in words that are not PgBouncer's",
       Given().roundtrip(fatal("08P01", "invalid frontend message type 0")).held(1).untouched(),
       Cause::kUnknown, Scope::kOne});
  cases.push_back({"libpq's own text of a close is no word of a pooler's",
                   Given().roundtrip(closed()).held(3).pooler(), Cause::kUnknown, Scope::kOne});
  return cases;
}

}  // namespace pgconn::probes
