// Evidence as real losses leave it, and the causes that it must lead to: the table for all tests of
// attribution.
#pragma once

#include <string>
#include <vector>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

struct Case {
  std::string name;
  Evidence evidence;
  Cause cause;
  Scope scope;
  // The cause is unknown because two pieces of evidence contradict each other: without one of them
  // the rest may be clear.
  bool contradictory = false;
};

using Cases = std::vector<Case>;

const Cases& attribution_cases();

// Parts of the table, each in its own file.
Cases lost_on_the_way();
Cases silent_or_old();
Cases through_a_pooler();

}  // namespace pgconn::probes
