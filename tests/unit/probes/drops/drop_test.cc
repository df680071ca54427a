#include "probes/drops/drop.h"

#include <set>
#include <string>

#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

TEST_CASE("every probe has the name that the configuration and the metrics use") {
  std::set<std::string> names;
  for (const ProbeKind probe : kProbeKinds) names.emplace(to_string(probe));
  CHECK(names == std::set<std::string>{"certificate", "connect", "idle", "longquery", "roundtrip"});
}

}  // namespace
}  // namespace pgconn::probes
