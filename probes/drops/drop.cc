#include "probes/drops/drop.h"

namespace pgconn::probes {

std::string_view to_string(ProbeKind probe) {
  switch (probe) {
    case ProbeKind::kConnect:
      return "connect";
    case ProbeKind::kRoundtrip:
      return "roundtrip";
    case ProbeKind::kIdle:
      return "idle";
    case ProbeKind::kLongquery:
      return "longquery";
    case ProbeKind::kCertificate:
      return "certificate";
  }
  return "unknown";
}

}  // namespace pgconn::probes
