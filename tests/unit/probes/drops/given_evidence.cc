#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::probes {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

PgError fatal(const std::string& sqlstate, const std::string& text) {
  return PgError(Phase::kIdle, postgres::reason_of_sqlstate(sqlstate, false), sqlstate,
                 "FATAL: " + text, true);
}
PgError warned(const std::string& sqlstate, const std::string& text) {
  return PgError(Phase::kIdle, postgres::reason_of_sqlstate(sqlstate, false), sqlstate,
                 "WARNING: " + text, true);
}
PgError closed() {
  return postgres::lost_error("server closed the connection unexpectedly", Phase::kIdle);
}
PgError reset() {
  return postgres::lost_error("could not receive data from server: Connection reset by peer",
                              Phase::kQuery);
}
PgError unanswered() {
  return PgError(Phase::kQuery, Reason::kTimeout, "", "no answer to a query in time", true);
}
PgError kernel_gave_up() {
  return postgres::lost_error("could not receive data from server: Connection timed out",
                              Phase::kQuery);
}
PgError broken_tls() {
  return postgres::lost_error("SSL error: decryption failed or bad record mac", Phase::kQuery);
}

PgError refused() { return postgres::connect_error("Connection refused", Phase::kTcp); }
PgError not_accepting(const std::string& text) {
  return postgres::connect_error("FATAL:  57P03: " + text, Phase::kStartup);
}
PgError no_tcp_answer() {
  return PgError(Phase::kTcp, Reason::kTimeout, "", "no answer in time while connecting", true);
}
PgError no_startup_answer() {
  return PgError(Phase::kStartup, Reason::kTimeout, "", "no answer in time while connecting", true);
}
PgError too_many() {
  return postgres::connect_error("FATAL:  53300: sorry, too many clients already", Phase::kStartup);
}

PgError no_database() {
  return postgres::connect_error("FATAL:  3D000: database \"app\" does not exist", Phase::kStartup);
}
PgError rejected() {
  return postgres::connect_error("FATAL:  28000: pg_hba.conf rejects connection", Phase::kStartup);
}

Given& Given::fell(ProbeKind probe, const PgError& error, int silent_seconds) {
  evidence_.drops.push_back({.probe = probe,
                             .error = error,
                             .at = kNoticed,
                             .silent_for = std::chrono::seconds(silent_seconds),
                             .dialed = kNoticed - std::chrono::seconds(silent_seconds + 100)});
  return *this;
}
Given& Given::aged(int seconds) {
  evidence_.drops.back().dialed = kNoticed - std::chrono::seconds(seconds);
  return *this;
}
Given& Given::roundtrip(const PgError& error, int silent_seconds) {
  return fell(ProbeKind::kRoundtrip, error, silent_seconds);
}
Given& Given::canary(const PgError& error, int silent_seconds) {
  return fell(ProbeKind::kIdle, error, silent_seconds);
}
Given& Given::longquery(const PgError& error, int silent_seconds) {
  return fell(ProbeKind::kLongquery, error, silent_seconds);
}
Given& Given::held(int count) {
  evidence_.held = count;
  return *this;
}
Given& Given::asked(int seconds_before, bool acknowledged) {
  evidence_.drops.back().asked = kNoticed - std::chrono::seconds(seconds_before);
  evidence_.drops.back().acknowledged = acknowledged;
  return *this;
}
Given& Given::session_answered(int milliseconds_before) {
  const auto answered = kNoticed - std::chrono::milliseconds(milliseconds_before);
  evidence_.new_sessions.push_back({answered - std::chrono::milliseconds(30), answered});
  return *this;
}
Given& Given::survivor(int silent_seconds) { return survivor_aged(silent_seconds, 86'400); }
Given& Given::survivor_aged(int silent_seconds, int age_seconds) {
  evidence_.survivors.push_back({.silent_for = std::chrono::seconds(silent_seconds),
                                 .opened = kReadAt - std::chrono::seconds(age_seconds),
                                 .answered = kReadAt});
  return *this;
}
Given& Given::survivor_kept_alive(int silent_seconds, int keepalive_gap) {
  survivor(silent_seconds);
  evidence_.survivors.back().keepalive_gap = std::chrono::seconds(keepalive_gap);
  return *this;
}
Given& Given::server_keepalive(int gap) {
  evidence_.server_keepalive_gap = std::chrono::seconds(gap);
  return *this;
}
Given& Given::marks(double start_time, double crash_restart_time) {
  evidence_.before = {kStart, 0, std::nullopt, std::nullopt};
  evidence_.after = {start_time, crash_restart_time, kNow, kReadAt};
  evidence_.reconnected = true;
  return *this;
}
Given& Given::untouched() { return marks(kStart, 0); }
Given& Given::crash_restarted() { return marks(kStart, kNow - 1); }
Given& Given::restarted() { return marks(kNow - 1, 0); }
Given& Given::elsewhere(double start_time) { return marks(start_time, 0); }
Given& Given::bare_role() {
  evidence_.before.crash_restart_time.reset();
  evidence_.after.crash_restart_time.reset();
  return *this;
}
Given& Given::down(const PgError& error) {
  evidence_.before = {kStart, 0, std::nullopt, std::nullopt};
  evidence_.reconnected = false;
  return refused_at_first(error);
}
Given& Given::refused_at_first(const PgError& error) {
  evidence_.failed_reconnects.push_back(error);
  return *this;
}
Given& Given::unanswered_before(int silent_seconds) {
  evidence_.unanswered_before.emplace_back(std::chrono::seconds(silent_seconds));
  return *this;
}
Given& Given::survived(int silent_seconds) {
  evidence_.survived_silence = std::chrono::seconds(silent_seconds);
  return *this;
}
Given& Given::fell_before(int silent_seconds) {
  evidence_.fell_before.emplace_back(std::chrono::seconds(silent_seconds));
  return *this;
}
Given& Given::oom(bool counted) {
  evidence_.oom_kill_counted = counted;
  return *this;
}
Given& Given::log_says(Cause cause, int backend_pid) {
  Testimony testimony;
  testimony.source = "server_log";
  testimony.cause = cause;
  testimony.backend_pid = backend_pid;
  testimony.words = "it was " + std::string(to_string(cause));
  evidence_.testimonies.push_back(std::move(testimony));
  return *this;
}
Given& Given::backend_pid(int pid) {
  evidence_.drops.back().backend_pid = pid;
  return *this;
}
Given& Given::pooler() {
  evidence_.pooler = true;
  return *this;
}

}  // namespace pgconn::probes
