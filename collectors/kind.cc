#include "collectors/kind.h"

#include <array>

namespace pgconn::collectors {

std::span<const TargetKind* const> kinds() {
  static const std::array<const TargetKind*, 1> all{&postgres_kind()};
  return all;
}

std::vector<const Collector*> all_collectors() {
  std::vector<const Collector*> all;
  for (const TargetKind* kind : kinds()) {
    all.insert(all.end(), kind->collectors.begin(), kind->collectors.end());
  }
  return all;
}

}  // namespace pgconn::collectors
