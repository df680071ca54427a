// What is wrong with one server's connections now, for a person: why it matters and the exact fix,
// most urgent first. Pure functions of what one look has seen; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/targets/collect_once.h"
#include "probes/certificates/facts.h"
#include "probes/drops/incidents.h"

namespace pgconn::exporter {

enum class Urgency { kNotice, kWarning, kCritical };
std::string_view to_string(Urgency urgency);  // "notice", "warning", "critical"

struct Problem {
  Urgency urgency = Urgency::kNotice;
  std::string what;  // one sentence
  std::string why;   // why it matters
  std::string fix;   // SQL or a command, ready to copy; empty if there is none
};

// A connection that was lost while watching.
struct WatchedLoss {
  std::string cause, scope, because;
  std::size_t drops = 0;
};

// What one look at a server has seen.
struct Examination {
  std::string address, database;
  OneCollection once;
  bool wants_tls = false;
  std::optional<probes::ChainFacts> certificates;  // absent: none was shown
  std::string certificates_wrong;                  // in words; empty if nothing is
  std::vector<WatchedLoss> losses;                 // with --watch
  std::optional<int> watched_seconds;
  std::int64_t now = 0;  // Unix time
};

struct Diagnosis {
  std::string address, database;
  std::string server;                                  // "PostgreSQL 17.2, primary"; empty: unknown
  std::vector<std::pair<std::string, double>> phases;  // of connecting, in seconds; the last: total
  std::vector<std::string> seen;                       // facts in a line each
  std::vector<Problem> problems;                       // the most urgent first
  std::vector<std::string> unseen;                     // what could not be looked at, and why
};

Diagnosis diagnose(const Examination& examination);

// As plugins for Nagios: 0 nothing above a notice, 1 warning, 2 critical, 3 unknown, because the
// connection string cannot be used.
int exit_status(const Examination& examination, const Diagnosis& diagnosis);

// For a terminal or a file.
std::string diagnosis_text(const Diagnosis& diagnosis, bool colours);
std::string diagnosis_json(const Diagnosis& diagnosis);

}  // namespace pgconn::exporter
