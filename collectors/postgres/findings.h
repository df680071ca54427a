// The lint of settings: what is set wrongly, for whom, why that hurts and the SQL that fixes it.
// Pure; any thread. The table of known findings lives as long as the process.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "collectors/finding.h"
#include "collectors/postgres/overrides.h"
#include "collectors/postgres/server_settings.h"

namespace pgconn::collectors {

enum class Severity { kInfo, kWarning };

std::string_view to_string(Severity severity);

struct KnownFinding {
  std::string_view name;
  Severity severity = Severity::kInfo;
  std::string_view when;
  std::string_view reason;
  // SQL for the server, and comments where SQL is not enough. `{setting}` stands for
  // "ALTER SYSTEM SET" or the ALTER ROLE, ALTER DATABASE of another subject, `{detail}` for what
  // was found.
  std::string_view fix;
  int min_version = 130000;
};

std::span<const KnownFinding> known_findings();

struct FindingInputs {
  int server_version = 0;
  ServerSettings settings;
  // nullopt where they could not be read: findings that depend on them are then left out.
  std::optional<Overrides> overrides;
  std::optional<std::vector<std::string>> plaintext_remote_rules;
  const Options& options;
  std::span<const std::string> login_warnings = {};  // as in CollectContext
};

// Works on plain values, without SQL, wherever they were read. In the order of known_findings().
// What cannot be known is not reported.
std::vector<Finding> evaluate(const FindingInputs& inputs);

}  // namespace pgconn::collectors
