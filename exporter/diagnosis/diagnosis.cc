#include "exporter/diagnosis/diagnosis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "collectors/postgres/findings.h"
#include "exporter/diagnosis/readout.h"
#include "postgres/identifier.h"
#include "text/times.h"

namespace pgconn::exporter {
namespace {

using postgres::Reason;

constexpr double kSlotsWarning = 0.8, kSlotsCritical = 0.95;
constexpr double kTimeoutNear = 0.8;
constexpr double kIdleLong = 300;  // seconds
constexpr double kBlockedLong = 10;
constexpr double kDay = 86400;
constexpr double kCertificateWarning = 21 * kDay, kCertificateCritical = 3 * kDay;

constexpr std::string_view kWhoHoldsSlots =
    "SELECT usename, application_name, client_addr, state, count(*) FROM pg_stat_activity WHERE "
    "backend_type = 'client backend' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;";

// "app" of alice in shop
std::string session_of(const Readout::Row& row) {
  const std::string application = row.label("application");
  return (application.empty() ? "a client" : "application \"" + application + "\"") +
         " of role \"" + row.label("user") + "\" in database \"" + row.label("database") + "\"";
}

std::string sessions_like(const Readout::Row& row) {
  return "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE "
         "'idle in transaction%' AND usename = " +
         postgres::quoted_literal(row.label("user")) +
         " AND datname = " + postgres::quoted_literal(row.label("database")) +
         " AND application_name = " + postgres::quoted_literal(row.label("application")) + ";";
}

std::string sessions(double count) {
  return plain_number(count) + (count == 1 ? " session" : " sessions");
}

void add_connecting(const Examination& seen, Diagnosis& diagnosis) {
  if (!seen.once.error) return;
  const postgres::PgError& error = *seen.once.error;
  const bool down = !seen.once.facts;
  Problem problem;
  problem.urgency = down ? Urgency::kCritical : Urgency::kWarning;
  problem.what = (down ? "The server cannot be used: " : "Some answers are missing: ") +
                 std::string(error.what());
  problem.why = "It failed in phase " + std::string(postgres::to_string(error.phase())) +
                ", for the reason " + std::string(postgres::to_string(error.reason())) +
                (error.sqlstate().empty() ? "" : " (SQLSTATE " + error.sqlstate() + ")") + ".";
  problem.fix = postgres::advice(error);
  diagnosis.problems.push_back(std::move(problem));
}

void add_slots(const Readout& readout, Diagnosis& diagnosis) {
  const auto used = readout.value("pgconn_connection_slots_used");
  const auto usable = readout.value("pgconn_connection_slots", {{"kind", "usable"}});
  if (!used || !usable || *usable <= 0) return;
  diagnosis.seen.push_back(plain_number(*used) + " of " + plain_number(*usable) +
                           " connection slots are taken");
  if (*used < kSlotsWarning * *usable) return;
  diagnosis.problems.push_back(
      {*used >= kSlotsCritical * *usable ? Urgency::kCritical : Urgency::kWarning,
       plain_number(*used) + " of " + plain_number(*usable) + " connection slots are taken.",
       "When the last one is gone, clients are refused with \"sorry, too many clients already\" "
       "(53300).",
       std::string(kWhoHoldsSlots)});
}

void add_limits(const Readout& readout, Diagnosis& diagnosis) {
  const auto check = [&](const char* limits, const char* counts, const char* label,
                         const std::string& noun) {
    for (const Readout::Row& limit : readout.rows(limits)) {
      const std::string name = limit.label(label);
      const double used = readout.value(counts, {{label, name}}).value_or(0);
      if (limit.value <= 0 || used < kSlotsWarning * limit.value) continue;
      diagnosis.problems.push_back(
          {used >= limit.value ? Urgency::kCritical : Urgency::kWarning,
           std::string("The ")
               .append(noun)
               .append(" \"" + name + "\" uses ")
               .append(plain_number(used) + " of the " + plain_number(limit.value))
               .append(" connections of its CONNECTION LIMIT."),
           "At the limit, further connections are refused with 53300, however many slots the "
           "server has left.",
           std::string(noun == "role" ? "ALTER ROLE " : "ALTER DATABASE ")
               .append(postgres::quoted_identifier(name))
               .append(" CONNECTION LIMIT ")
               .append(plain_number(std::ceil(limit.value * 1.5)))
               .append(";")});
    }
  };
  check("pgconn_role_connection_limit", "pgconn_role_connections", "role", "role");
  check("pgconn_database_connection_limit", "pgconn_database_connections", "database", "database");
}

void add_blocking(const Readout& readout, Diagnosis& diagnosis) {
  for (const Readout::Row& row : readout.rows("pgconn_blocked_by_idle_in_transaction")) {
    if (row.value <= 0) continue;
    diagnosis.problems.push_back(
        {Urgency::kCritical,
         sessions(row.value) + (row.value == 1 ? " waits" : " wait") +
             " behind a session that is idle in a transaction: " + session_of(row) + ".",
         "It does nothing and holds a lock. Those who wait keep their connections, until pools and "
         "slots are used up.",
         sessions_like(row)});
  }
  const auto depth = readout.value("pgconn_blocking_chain_depth");
  for (const Readout::Row& row : readout.rows("pgconn_blocked_oldest_seconds")) {
    if (row.value < kBlockedLong) continue;
    diagnosis.problems.push_back(
        {Urgency::kWarning,
         "A session in database \"" + row.label("database") + "\" has waited for a lock for " +
             text::spoken_seconds(row.value) +
             (depth && *depth > 1 ? ", in a chain of " + plain_number(*depth) + " waits" : "") +
             ".",
         "Whoever waits holds a connection, and perhaps locks that others want.",
         "SELECT pid, pg_blocking_pids(pid), state, wait_event_type, query_start FROM "
         "pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY query_start;"});
  }
}

void add_idle(const Readout& readout, Diagnosis& diagnosis) {
  for (const Readout::Row& row : readout.rows("pgconn_idle_in_transaction_timeout_ratio")) {
    if (row.value < kTimeoutNear) continue;
    diagnosis.problems.push_back(
        {Urgency::kWarning,
         "A transaction of role \"" + row.label("user") + "\" in database \"" +
             row.label("database") + "\" has been idle for " +
             plain_number(std::floor(row.value * 100)) + " % of its timeout.",
         "The server will end that connection with 25P03; the client notices at its next "
         "statement.",
         "Find out in that application what it waits for inside the transaction, and commit before "
         "it."});
  }
  for (const Readout::Row& row : readout.rows("pgconn_session_state_oldest_seconds")) {
    if (!row.label("state").starts_with("idle in transaction") || row.value < kIdleLong) continue;
    diagnosis.problems.push_back(
        {Urgency::kWarning,
         "A transaction has been idle for " + text::spoken_seconds(row.value) + ": " +
             session_of(row) + ".",
         "It keeps its locks and its slot, and may hold back vacuum.", sessions_like(row)});
  }
}

void add_transport(const Readout& readout, Diagnosis& diagnosis) {
  for (const Readout::Row& row : readout.rows("pgconn_plaintext_remote_sessions")) {
    if (row.value <= 0) continue;
    diagnosis.problems.push_back(
        {Urgency::kWarning,
         sessions(row.value) + " of role \"" + row.label("user") + "\" in database \"" +
             row.label("database") + "\" come from another host without encryption.",
         "Passwords, statements and results can be read and changed on the way.",
         "Set sslmode=verify-full in that client, then replace `host` by `hostssl` in "
         "pg_hba.conf."});
  }
}

void add_certificates(const Examination& seen, Diagnosis& diagnosis) {
  if (!seen.certificates_wrong.empty()) {
    diagnosis.problems.push_back(
        {Urgency::kWarning, "The server's certificates: " + seen.certificates_wrong + ".",
         "Clients with sslmode=verify-full, or verify-ca, refuse to connect.",
         "Install a certificate that the clients' authority has signed for the name that they "
         "connect to, then SELECT pg_reload_conf();"});
  }
  if (!seen.certificates || !seen.certificates->not_after) return;
  const auto left = static_cast<double>(*seen.certificates->not_after - seen.now);
  diagnosis.seen.push_back(left > 0
                               ? "certificates are valid for another " + text::spoken_seconds(left)
                               : "certificates have expired");
  if (left > kCertificateWarning || left <= 0) return;  // expired: said above
  diagnosis.problems.push_back(
      {left <= kCertificateCritical ? Urgency::kCritical : Urgency::kWarning,
       "The server's certificates expire in " + text::spoken_seconds(left) + ".",
       "From then on clients that verify them are refused, all at once.",
       "Renew the certificate, replace the files that ssl_cert_file and ssl_key_file name, then "
       "SELECT pg_reload_conf();"});
}

void add_losses(const Examination& seen, Diagnosis& diagnosis) {
  if (seen.watched_seconds && seen.losses.empty()) {
    diagnosis.seen.push_back("no connection was lost in " +
                             text::spoken_seconds(*seen.watched_seconds));
  }
  for (const WatchedLoss& loss : seen.losses) {
    diagnosis.problems.push_back(
        {Urgency::kCritical,
         std::to_string(loss.drops) + (loss.drops == 1 ? " connection was" : " connections were") +
             " lost while watching: cause " + loss.cause + ", scope " + loss.scope + ".",
         "Evidence: " + loss.because + ".",
         "The runbook of PgConnDropRateHigh tells the causes apart: alerts/runbooks/"});
  }
}

void add_findings(const Examination& seen, Diagnosis& diagnosis) {
  for (const collectors::Finding& finding : seen.once.findings) {
    const bool warning = finding.known->severity == collectors::Severity::kWarning;
    diagnosis.problems.push_back({warning ? Urgency::kWarning : Urgency::kNotice,
                                  std::string(finding.known->when) + " (" + finding.subject + ", " +
                                      std::string(finding.known->name) + ").",
                                  std::string(finding.known->reason), finding.fix});
  }
}

void add_unseen(const Examination& seen, Diagnosis& diagnosis) {
  if (!seen.once.facts) return;
  for (const CollectorReport& report : seen.once.reports) {
    if (report.outcome == Outcome::kSuccess) continue;
    diagnosis.unseen.push_back(report.name + ": " + report.message);
  }
}

void add_phases(const OneCollection& once, Diagnosis& diagnosis) {
  if (!once.connecting) return;
  const auto add = [&](const char* name,
                       const std::optional<postgres::ConnectTimings::Duration>& took) {
    if (took) diagnosis.phases.emplace_back(name, Seconds(*took).count());
  };
  add("resolve", once.connecting->resolve);
  add("tcp", once.connecting->tcp);
  add("tls", once.connecting->tls);
  add("startup", once.connecting->startup);
  diagnosis.phases.emplace_back("total", Seconds(once.connecting->total).count());
}

void add_sessions(const Readout& readout, Diagnosis& diagnosis) {
  std::map<std::string, double> states;
  for (const Readout::Row& row : readout.rows("pgconn_sessions")) {
    states[row.label("state")] += row.value;
  }
  std::string text;
  for (const auto& [state, count] : states) {
    text += (text.empty() ? "" : ", ") + plain_number(count) + " " + state;
  }
  if (!text.empty()) diagnosis.seen.push_back("sessions of clients: " + text);
}

}  // namespace

std::string_view to_string(Urgency urgency) {
  switch (urgency) {
    case Urgency::kNotice:
      return "notice";
    case Urgency::kWarning:
      return "warning";
    case Urgency::kCritical:
      return "critical";
  }
  return "notice";
}

Diagnosis diagnose(const Examination& examination) {
  Diagnosis diagnosis;
  diagnosis.address = examination.address;
  diagnosis.database = examination.database;
  if (const auto& facts = examination.once.facts) {
    const std::string_view role = role_name(*facts);
    diagnosis.server = "PostgreSQL " + facts->version + (role.empty() ? "" : ", ") +
                       std::string(role) + ", as role " + facts->role;
  }
  const Readout readout(examination.once.result.batch);
  add_phases(examination.once, diagnosis);
  add_sessions(readout, diagnosis);
  add_connecting(examination, diagnosis);
  add_losses(examination, diagnosis);
  add_slots(readout, diagnosis);
  add_limits(readout, diagnosis);
  add_blocking(readout, diagnosis);
  add_idle(readout, diagnosis);
  add_certificates(examination, diagnosis);
  add_transport(readout, diagnosis);
  add_findings(examination, diagnosis);
  add_unseen(examination, diagnosis);
  std::ranges::stable_sort(diagnosis.problems, std::ranges::greater{}, &Problem::urgency);
  return diagnosis;
}

int exit_status(const Examination& examination, const Diagnosis& diagnosis) {
  const auto& error = examination.once.error;
  if (error && error->reason() == Reason::kConfig) return 3;
  if (diagnosis.problems.empty()) return 0;
  switch (diagnosis.problems.front().urgency) {
    case Urgency::kNotice:
      return 0;
    case Urgency::kWarning:
      return 1;
    case Urgency::kCritical:
      return 2;
  }
  return 3;
}

}  // namespace pgconn::exporter
