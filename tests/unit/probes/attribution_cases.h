// Evidence as real losses leave it, and the causes it must lead to: the table for all tests of
// attribution.
#pragma once

#include <string>
#include <vector>

#include "probes/attribution.h"

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

const std::vector<Case>& attribution_cases();

}  // namespace pgconn::probes
