#include "probes/survived_silences.h"

#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

using std::chrono::seconds;
using Clock = SurvivedSilences::Clock;
using Silence = std::optional<Clock::duration>;

const Clock::time_point kBegin(std::chrono::hours(100));

TEST_CASE("of the idle times survived since a moment, the longest counts") {
  SurvivedSilences silences;
  CHECK(silences.longest_since(kBegin) == std::nullopt);
  silences.add(kBegin, seconds(30));
  silences.add(kBegin + seconds(60), seconds(60));
  silences.add(kBegin + seconds(80), seconds(20));
  silences.add(kBegin + seconds(90), seconds(10));
  CHECK(silences.longest_since(kBegin) == Silence(seconds(60)));
  CHECK(silences.longest_since(kBegin + seconds(60)) == Silence(seconds(60)));
  CHECK(silences.longest_since(kBegin + seconds(61)) == Silence(seconds(20)));
  CHECK(silences.longest_since(kBegin + seconds(90)) == Silence(seconds(10)));
  CHECK(silences.longest_since(kBegin + seconds(91)) == std::nullopt);
}

TEST_CASE("idle times that become shorter and shorter are not all kept") {
  SurvivedSilences silences;
  for (int i = 0; i < 1000; ++i) silences.add(kBegin + seconds(i), seconds(2000 - i));
  CHECK(silences.longest_since(kBegin) < Silence(seconds(1100)));
  CHECK(silences.longest_since(kBegin + seconds(999)) == Silence(seconds(1001)));
}

}  // namespace
}  // namespace pgconn::probes
