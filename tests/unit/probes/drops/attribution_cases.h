// Evidence as real losses leave it, and the causes it must lead to: the table for all tests of
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
  // The cause is unknown because one piece of evidence speaks against another: without it the rest
  // may be clear.
  bool contradictory = false;
};

using Cases = std::vector<Case>;

const Cases& attribution_cases();

// Parts of it, in a file of their own.
Cases lost_on_the_way();
Cases silent_or_old();
Cases through_a_pooler();

}  // namespace pgconn::probes
