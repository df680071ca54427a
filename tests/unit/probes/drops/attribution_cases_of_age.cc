// Cases in which a path ends connections that are idle, or old, or both: which one is it?
#include "tests/unit/probes/drops/attribution_cases.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {

Cases silent_or_old() {
  return {
      {"a silent one was closed, and who answers is not much older: its age may have been it",
       Given().canary(closed(), 45).aged(75).held(3).survivor_aged(5, 75).untouched(),
       Cause::kUnknown, Scope::kOne},
      {"two silent ones were closed, and who answers is younger",
       Given()
           .canary(closed(), 45)
           .aged(75)
           .canary(closed(), 15)
           .aged(75)
           .held(3)
           .survivor_aged(5, 3)
           .untouched(),
       Cause::kUnknown, Scope::kSome},
      {"a silent one was closed while one answers that is older by a tenth and more",
       Given().canary(closed(), 45).aged(75).held(3).survivor_aged(5, 83).untouched(),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"a young silent one was closed, and a tenth of its age is less than clocks can tell",
       Given().canary(closed(), 2).aged(3).held(3).survivor_aged(1, 3).untouched(), Cause::kUnknown,
       Scope::kOne},
      {"a silent one went unanswered, as before, and who answers is no older",
       Given()
           .canary(unanswered(), 60)
           .aged(65)
           .held(3)
           .survivor_aged(5, 66)
           .untouched()
           .unanswered_before(60),
       Cause::kUnknown, Scope::kOne},
      {"all fell, lively ones too, at the same age",
       Given()
           .canary(closed(), 45)
           .aged(75)
           .canary(closed(), 15)
           .aged(75)
           .roundtrip(closed())
           .aged(75)
           .held(3)
           .untouched(),
       Cause::kNetworkReset, Scope::kAll},
      {"a silent one was closed, though a longer silence was survived lately",
       Given().canary(closed(), 14).aged(44).held(3).survivor(5).untouched().survived(30),
       Cause::kUnknown, Scope::kOne, true},
      {"a silent one was closed after nearly as long a silence as was survived",
       Given().canary(closed(), 28).held(3).survivor(5).untouched().survived(30),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"the silence that was survived was broken by the server's keepalives",
       Given()
           .canary(closed(), 14)
           .held(3)
           .survivor(5)
           .untouched()
           .survived(30)
           .server_keepalive(10),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"the limit of the path has fallen: once more, and none as silent has survived since",
       Given()
           .canary(closed(), 14)
           .aged(44)
           .held(3)
           .survivor(5)
           .untouched()
           .survived(30)
           .fell_before(20),
       Cause::kPathIdleTimeout, Scope::kIdleOnly},
      {"one fell before, though longer silences are survived, but after one of another order",
       Given().canary(closed(), 14).held(3).survivor(5).untouched().survived(900).fell_before(600),
       Cause::kUnknown, Scope::kOne, true},
  };
}

}  // namespace pgconn::probes
