#include "config/duration.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace pgconn::config {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string refusal(const std::string& text) {
  try {
    parse_duration(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("durations are read as Prometheus reads them") {
  const std::vector<std::pair<std::string, Duration>> table = {
      {"0", milliseconds(0)},
      {"0s", milliseconds(0)},
      {"250ms", milliseconds(250)},
      {"15s", seconds(15)},
      {"5m", minutes(5)},
      {"1h30m", minutes(90)},
      {"90m", minutes(90)},
      {"1d", days(1)},
      {"1w", days(7)},
      {"1y", days(365)},
      {"007s", seconds(7)},
      {"1y2w3d4h5m6s7ms",
       days(365 + 14 + 3) + hours(4) + minutes(5) + seconds(6) + milliseconds(7)},
      {"1s1ms", milliseconds(1001)},
      {"9223372036854775807ms", Duration::max()},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    CHECK(parse_duration(text) == expected);
  }
}

TEST_CASE("what is not a duration is refused with its reason") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "is not a duration"},
      {"s", "is not a duration"},
      {"-5s", "is not a duration"},
      {"+5s", "is not a duration"},
      {" 5s", "is not a duration"},
      {".5s", "is not a duration"},
      {"5", "has no unit, write 15s or 15ms"},
      {"00", "has no unit, write 15s or 15ms"},
      {"1m30", "has no unit, write 15s or 15ms"},
      {"1.5s", "has a fraction, write 1500ms for 1.5s"},
      {"5 s", "has an unknown unit, the units are ms, s, m, h, d, w, y"},
      {"5s ", "has an unknown unit, the units are ms, s, m, h, d, w, y"},
      {"5S", "has an unknown unit, the units are ms, s, m, h, d, w, y"},
      {"5min", "has an unknown unit, the units are ms, s, m, h, d, w, y"},
      {"1us", "has an unknown unit, the units are ms, s, m, h, d, w, y"},
      {"5s5m", "has its units out of order, write 1h30m, the largest first"},
      {"5s5s", "has its units out of order, write 1h30m, the largest first"},
      {"9223372036854775808ms", "is too long"},
      {"9223372036854775807s", "is too long"},
      {"9223372036854775806ms1ms", "has its units out of order, write 1h30m, the largest first"},
      {"292471208y9223372036854775807ms", "is too long"},
      {"99999999999999999999999999s", "is too long"},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    CHECK(refusal(text) == expected);
  }
}

TEST_CASE("a duration is written as people would and reads back as itself") {
  const std::vector<std::pair<Duration, std::string>> table = {
      {milliseconds(0), "0"}, {milliseconds(1), "1ms"}, {milliseconds(1500), "1s500ms"},
      {seconds(60), "1m"},    {seconds(350), "5m50s"},  {minutes(90), "1h30m"},
      {days(7), "1w"},        {days(30), "30d"},        {days(365), "1y"},
  };
  for (const auto& [duration, expected] : table) {
    CHECK(format_duration(duration) == expected);
    CHECK(parse_duration(expected) == duration);
  }
}

}  // namespace
}  // namespace pgconn::config
