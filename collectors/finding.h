// Something that is set wrongly, for whom, and what fixes it. Values; any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "metrics/descriptor.h"

namespace pgconn::collectors {

enum class Severity { kInfo, kWarning };

std::string_view to_string(Severity severity);

struct KnownFinding {
  std::string_view name;
  Severity severity = Severity::kInfo;
  std::string_view when;
  std::string_view reason;
  // What to do: SQL for PostgreSQL, and comments where SQL is not enough; lines of pgbouncer.ini
  // for PgBouncer. `{setting}` stands for "ALTER SYSTEM SET" or the ALTER ROLE, ALTER DATABASE of
  // another subject, `{detail}` for what was found.
  std::string_view fix;
  int min_version = 0;  // as PQserverVersion; 0: every one that is taken
};

// The subject, as a label: `server`, `all roles`, `role X`, `database X`, `role X in database Y`;
// `dsn` is the exporter's own, `pgbouncer` the pooler.
struct Finding {
  const KnownFinding* known = nullptr;  // lives as long as the process
  std::string subject;
  std::string fix;  // exactly, for this subject
};

// Of each kind of target that has findings.
inline constexpr auto kFindingFamily =
    metrics::gauge("pgconn_finding",
                   "1 for something in the server's or the pooler's settings, or in the exporter's "
                   "dsn, that needs "
                   "fixing.",
                   {"finding", "severity", "subject"}, metrics::Unit::kNone, metrics::Fold::kMax);

// The text with the value in each place of the placeholder.
std::string with_value(std::string_view text, std::string_view placeholder, std::string_view value);

}  // namespace pgconn::collectors
