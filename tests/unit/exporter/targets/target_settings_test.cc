#include "exporter/targets/target_settings.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("Of the path's configured and measured limits, the shorter counts") {
  config::Target target;
  CHECK(with_measured(options_of(target), std::nullopt).path_idle_limit == std::nullopt);
  CHECK(with_measured(options_of(target), milliseconds(2700)).path_idle_limit ==
        milliseconds(2700));
  target.path_idle_limit = seconds(350);
  CHECK(with_measured(options_of(target), std::nullopt).path_idle_limit == seconds(350));
  CHECK(with_measured(options_of(target), seconds(120)).path_idle_limit == seconds(120));
  CHECK(with_measured(options_of(target), seconds(900)).path_idle_limit == seconds(350));
}

}  // namespace
}  // namespace pgconn::exporter
