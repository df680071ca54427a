#include "probes/drops/attribution.h"

#include <functional>
#include <set>

#include "tests/support/catch.h"
#include "tests/unit/probes/drops/attribution_cases.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {
namespace {

using Change = std::function<void(Evidence&)>;

// Every way to remove one piece of evidence.
const std::vector<std::pair<std::string, Change>>& removals() {
  static const std::vector<std::pair<std::string, Change>> all = {
      {"held", [](Evidence& e) { e.held.reset(); }},
      {"survivors", [](Evidence& e) { e.survivors.clear(); }},
      {"server_version", [](Evidence& e) { e.server_version.reset(); }},
      {"before", [](Evidence& e) { e.before = {}; }},
      {"before.start_time", [](Evidence& e) { e.before.start_time.reset(); }},
      {"before.crash_restart_time", [](Evidence& e) { e.before.crash_restart_time.reset(); }},
      {"after", [](Evidence& e) { e.after = {}; }},
      {"after.start_time", [](Evidence& e) { e.after.start_time.reset(); }},
      {"after.crash_restart_time", [](Evidence& e) { e.after.crash_restart_time.reset(); }},
      {"after.server_clock", [](Evidence& e) { e.after.server_clock.reset(); }},
      {"after.read_at", [](Evidence& e) { e.after.read_at.reset(); }},
      {"reconnected", [](Evidence& e) { e.reconnected.reset(); }},
      {"failed_reconnects", [](Evidence& e) { e.failed_reconnects.clear(); }},
      {"unanswered_before", [](Evidence& e) { e.unanswered_before.clear(); }},
      {"new_sessions", [](Evidence& e) { e.new_sessions.clear(); }},
      {"acknowledgements",
       [](Evidence& e) {
         for (Drop& drop : e.drops) drop.acknowledged.reset();
       }},
      {"survived_silence", [](Evidence& e) { e.survived_silence.reset(); }},
      {"fell_before", [](Evidence& e) { e.fell_before.clear(); }},
      {"ages of survivors",
       [](Evidence& e) {
         for (Survivor& survivor : e.survivors) survivor.opened = survivor.answered = {};
       }},
      {"ages of drops",
       [](Evidence& e) {
         for (Drop& drop : e.drops) drop.dialed = {};
       }},
      {"oom_kill_counted", [](Evidence& e) { e.oom_kill_counted.reset(); }},
  };
  return all;
}

// The causes that less evidence may lead to. An OOM kill that was not counted is a crash.
bool may_become(Cause from, Cause to) {
  return to == from || to == Cause::kUnknown || (from == Cause::kOomKill && to == Cause::kCrash);
}

TEST_CASE("each loss has the cause and the scope that its evidence shows") {
  for (const Case& c : attribution_cases()) {
    INFO(c.name);
    const Verdict verdict = attribute(c.evidence);
    INFO(verdict.because);
    CHECK(to_string(verdict.cause) == to_string(c.cause));
    CHECK(to_string(verdict.scope) == to_string(c.scope));
    CHECK_FALSE(verdict.because.empty());
  }
}

TEST_CASE("every cause is reached by some evidence, and every case has a name of its own") {
  std::set<Cause> causes;
  std::set<std::string> names;
  for (const Case& c : attribution_cases()) {
    causes.insert(c.cause);
    INFO(c.name);
    CHECK(names.insert(c.name).second);
  }
  CHECK(causes.size() == kCauses.size());
}

TEST_CASE("with one or two pieces of evidence less the cause is the same or unknown") {
  for (const Case& c : attribution_cases()) {
    if (c.contradictory) continue;
    for (const auto& [first, remove_first] : removals()) {
      for (const auto& [second, remove_second] : removals()) {
        Evidence less = c.evidence;
        remove_first(less);
        remove_second(less);
        const Verdict verdict = attribute(less);
        INFO(c.name << ", without " << first << " and " << second << ": " << verdict.because);
        CHECK(may_become(c.cause, verdict.cause));
      }
    }
  }
}

// One piece of evidence and its possible values; the first choice is that it is unknown.
using Choices = std::vector<Change>;

const std::vector<Choices>& all_that_may_be_known() {
  static const Change kNothing = [](Evidence&) {};
  static const auto fails = [](std::vector<postgres::PgError> errors) -> Change {
    return [errors](Evidence& e) { e.failed_reconnects = errors; };
  };
  static const auto starts = [](double time) -> Change {
    return [time](Evidence& e) { e.after.start_time = time; };
  };
  static const auto crash_restarts = [](double time) -> Change {
    return [time](Evidence& e) { e.after.crash_restart_time = time; };
  };
  static const std::vector<Choices> all = {
      {kNothing, [](Evidence& e) { e.server_version = 130000; },
       [](Evidence& e) { e.server_version = 140000; }},
      {kNothing, [](Evidence& e) { e.held = static_cast<int>(e.drops.size()); }},
      {kNothing, [](Evidence& e) { e.survivors = Evidence(Given().survivor(30)).survivors; },
       [](Evidence& e) { e.survivors = Evidence(Given().survivor_aged(30, 60)).survivors; }},
      {kNothing, [](Evidence& e) { e.before.start_time = kStart; }},
      {kNothing, [](Evidence& e) { e.before.crash_restart_time = kCrashBefore; }},
      {kNothing, starts(kStart), starts(kNow - 1), starts(kNow - 7'000)},
      {kNothing, crash_restarts(0), crash_restarts(kCrashBefore), crash_restarts(kNow - 1)},
      {kNothing,
       [](Evidence& e) {
         e.after.server_clock = kNow;
         e.after.read_at = kReadAt;
       }},
      {kNothing, [](Evidence& e) { e.reconnected = true; },
       [](Evidence& e) { e.reconnected = false; }},
      {kNothing, fails({refused()}), fails({not_accepting("the database system is shutting down")}),
       fails({not_accepting("the database system is in recovery mode")}),
       fails({not_accepting("...")}), fails({no_tcp_answer()}), fails({no_startup_answer()}),
       fails({no_database()}), fails({rejected()}),
       fails({too_many(), not_accepting("the database system is starting up"), refused()})},
      {kNothing, [](Evidence& e) { e.unanswered_before = {std::chrono::seconds(60)}; }},
      {kNothing, [](Evidence& e) { e.oom_kill_counted = true; }},
  };
  return all;
}

std::vector<std::vector<Drop>> ways_to_fall() {
  std::vector<std::vector<Drop>> ways;
  for (const Evidence& evidence : std::initializer_list<Evidence>{
           Given().roundtrip(fatal("57P01")), Given().roundtrip(warned("57P01")),
           Given().roundtrip(warned("57P02")), Given().roundtrip(closed()),
           Given().roundtrip(unanswered()), Given().roundtrip(kernel_gave_up()),
           Given().canary(closed()), Given().canary(unanswered()),
           Given().roundtrip(closed()).canary(closed()),
           Given().roundtrip(unanswered()).canary(unanswered()),
           Given().roundtrip(closed()).canary(warned("57P02")),
           Given().roundtrip(fatal("57P01")).canary(closed()),
           Given().roundtrip(closed()).canary(unanswered())}) {
    ways.push_back(evidence.drops);
  }
  return ways;
}

std::string choices_made(std::size_t number) {
  std::string text;
  for (const Choices& choices : all_that_may_be_known()) {
    text += std::to_string(number % choices.size());
    number /= choices.size();
  }
  return text;
}

TEST_CASE("whatever is known, knowing one thing less never turns one cause into another") {
  const std::vector<Choices>& known = all_that_may_be_known();
  std::size_t count = 1;
  for (const Choices& choices : known) count *= choices.size();
  for (const std::vector<Drop>& drops : ways_to_fall()) {
    // Verdicts, indexed by the number whose digits are the choices for each piece of evidence.
    std::vector<Cause> causes(count);
    std::set<std::string> wrong;
    for (std::size_t number = 0; number < count; ++number) {
      Evidence evidence;
      evidence.drops = drops;
      std::size_t rest = number;
      for (const Choices& choices : known) {
        choices[rest % choices.size()](evidence);
        rest /= choices.size();
      }
      causes[number] = attribute(evidence).cause;
      std::size_t unit = 1;
      for (const Choices& choices : known) {
        const std::size_t digit = number / unit % choices.size();
        const Cause less = causes[number - digit * unit];
        if (causes[number] != Cause::kUnknown && !may_become(causes[number], less)) {
          wrong.insert(std::string(to_string(causes[number])) + " becomes " +
                       std::string(to_string(less)) + ": " + choices_made(number));
        }
        unit *= choices.size();
      }
    }
    INFO(drops.size() << " drops, the first: " << drops.front().error.what());
    CHECK(wrong == std::set<std::string>());
  }
}

TEST_CASE("each drop of a mixed incident has its own cause") {
  const Evidence evidence = Given()
                                .canary(fatal("57P05"))
                                .roundtrip(fatal("57P01", "terminating connection"))
                                .held(3)
                                .untouched();
  CHECK(attribute(evidence, evidence.drops[0]).cause == Cause::kIdleSessionTimeout);
  CHECK(attribute(evidence, evidence.drops[1]).cause == Cause::kAdminTerminate);
  CHECK(attribute(evidence).because ==
        "its drops ended for different reasons: 1 admin_terminate, 1 idle_session_timeout");
}

TEST_CASE("one connection that is lost again and again is not all of them") {
  Evidence evidence = Given().roundtrip(fatal("57P01")).roundtrip(fatal("57P01")).held(2);
  CHECK(attribute(evidence).scope == Scope::kAll);
  evidence.drops.back().at += std::chrono::seconds(1);
  evidence.drops.back().opened = evidence.drops.back().at - std::chrono::milliseconds(500);
  CHECK(attribute(evidence).scope == Scope::kOne);
}

TEST_CASE(
    "exactly the canaries is a pattern, whatever the idle time was, and less or more is none") {
  Evidence evidence = Given().canary(fatal("57P01"), 1).canary(fatal("57P01"), 1).held(3);
  CHECK(attribute(evidence).scope == Scope::kSome);
  evidence.silent = 2;
  CHECK(attribute(evidence).scope == Scope::kIdleOnly);
  evidence.silent = 3;  // and no other connection is held
  CHECK(attribute(evidence).scope == Scope::kSome);
  evidence.held = 4;  // one canary lives
  CHECK(attribute(evidence).scope == Scope::kSome);
  evidence.silent = 2;
  evidence.drops.back().probe = ProbeKind::kRoundtrip;
  CHECK(attribute(evidence).scope == Scope::kSome);
  evidence.drops.pop_back();
  evidence.silent = 1;  // the only canary may have been picked by chance
  CHECK(attribute(evidence).scope == Scope::kOne);
}

TEST_CASE("a silent close beside one that the server explained is no idle pattern") {
  const Evidence evidence =
      Given().canary(closed()).canary(fatal("57P05")).held(3).survivor(5).untouched();
  CHECK(attribute(evidence, evidence.drops[0]).cause == Cause::kUnknown);
  CHECK(attribute(evidence, evidence.drops[1]).cause == Cause::kIdleSessionTimeout);
}

TEST_CASE("on 13, the notice beside a bare close and a new start is as unclear as the close") {
  const Evidence evidence =
      Given(130000).roundtrip(closed()).canary(warned("57P02")).held(2).restarted();
  CHECK(attribute(evidence, evidence.drops[0]).cause == Cause::kUnknown);
  CHECK(attribute(evidence, evidence.drops[1]).cause == Cause::kUnknown);
}

TEST_CASE(
    "another start time within two seconds is too close to call, beyond it is another start") {
  Evidence evidence = Given().roundtrip(fatal("57P01")).held(1).untouched();
  evidence.before.start_time = kNow - 10;  // restarted moments before, if the two clocks agree
  evidence.after.server_clock.reset();
  evidence.after.start_time = kNow - 10;
  CHECK(attribute(evidence).cause == Cause::kAdminTerminate);
  evidence.after.start_time = kNow - 8;
  CHECK(attribute(evidence).cause == Cause::kUnknown);
  evidence.after.start_time = kNow - 7.9;
  CHECK(attribute(evidence).cause == Cause::kServerShutdown);
}

TEST_CASE("a server that was started just before the connection is no contradiction") {
  Evidence evidence = Given().roundtrip(fatal("57P01"), 1).held(1).untouched();
  evidence.before.start_time = evidence.after.start_time = kNow - 5;
  CHECK(attribute(evidence).cause == Cause::kAdminTerminate);
}

TEST_CASE("a clock that is wrong by hours does not matter, only what it counts") {
  Evidence evidence = Given().roundtrip(closed()).held(1).restarted();
  for (double* time :
       {&*evidence.before.start_time, &*evidence.after.start_time, &*evidence.after.server_clock}) {
    *time -= 50'000;
  }
  CHECK(attribute(evidence).cause == Cause::kServerShutdown);
}

TEST_CASE("the verdict says what decided it") {
  CHECK(attribute(Given().roundtrip(fatal("57P01")).held(1).untouched()).because ==
        "57P01 and a new session could be had; the server is the same and had no crash restart");
  CHECK(attribute(Given().roundtrip(closed())).because ==
        "server closed the connection unexpectedly; no other has proved alive; what became of the "
        "server is not known");
}

TEST_CASE("an incident without drops has no cause") {
  CHECK(attribute(Evidence{}).cause == Cause::kUnknown);
}

TEST_CASE("every cause and scope has a name of its own, suitable for a label") {
  std::set<std::string> names;
  for (const Cause cause : kCauses) names.emplace(to_string(cause));
  CHECK(names.size() == kCauses.size());
  CHECK(names.count("unknown") == 1);
  for (const Scope scope : kScopes) names.emplace(to_string(scope));
  CHECK(names.size() == kCauses.size() + kScopes.size());
  for (const std::string& name : names) {
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
  }
}

TEST_CASE(
    "who went unanswered is a sample of the path for later ones, alone or where it was that") {
  using namespace std::chrono_literals;
  using Silences = std::vector<std::chrono::steady_clock::duration>;
  CHECK(unanswered_silences(Given().canary(unanswered(), 60).held(3).survivor(5).untouched()) ==
        Silences{60s});
  CHECK(unanswered_silences(Given()
                                .canary(unanswered(), 60)
                                .canary(unanswered(), 90)
                                .held(3)
                                .survivor(5)
                                .untouched()) == Silences{60s, 90s});
  // A link that was cut does not show how long it would have remembered them.
  CHECK(unanswered_silences(
            Given().roundtrip(unanswered()).canary(unanswered(), 60).held(2).untouched()) ==
        Silences{});
  CHECK(unanswered_silences(Given().canary(reset(), 60).held(3).survivor(5).untouched()) ==
        Silences{});
}

}  // namespace
}  // namespace pgconn::probes
