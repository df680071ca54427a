// Something that is set wrongly, for whom, and what fixes it. Values; any thread.
#pragma once

#include <string>

namespace pgconn::collectors {

struct KnownFinding;  // findings.h

// The subject, as a label: `server`, `all roles`, `role X`, `database X`, `role X in database Y`;
// `dsn` is the exporter's own.
struct Finding {
  const KnownFinding* known = nullptr;  // lives as long as the process
  std::string subject;
  std::string fix;  // the exact SQL for this subject
};

}  // namespace pgconn::collectors
