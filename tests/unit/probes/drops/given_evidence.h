// Evidence for tests of attribution, built fact by fact, and the errors it consists of.
#pragma once

#include <chrono>
#include <string>

#include "probes/drops/attribution.h"

namespace pgconn::probes {

inline constexpr auto kNoticed = std::chrono::steady_clock::time_point(std::chrono::hours(500));
inline constexpr auto kReadAt = kNoticed + std::chrono::seconds(3);
inline constexpr double kNow = 1'700'000'000;  // the server's clock at kReadAt
inline constexpr double kStart = kNow - 500'000;
inline constexpr double kCrashBefore = kNow - 90'000;

// How connections end.
postgres::PgError fatal(const std::string& sqlstate, const std::string& text = "");
postgres::PgError warned(const std::string& sqlstate, const std::string& text = "");
postgres::PgError closed();
postgres::PgError reset();
postgres::PgError unanswered();      // our own deadline
postgres::PgError kernel_gave_up();  // tcp_user_timeout, keepalives
postgres::PgError broken_tls();
// How attempts at a new session fail.
postgres::PgError refused();
postgres::PgError not_accepting(const std::string& text);  // 57P03
postgres::PgError no_tcp_answer();
postgres::PgError no_startup_answer();
postgres::PgError too_many();
postgres::PgError no_database();
postgres::PgError rejected();  // by pg_hba.conf

class Given {
 public:
  explicit Given(int server_version = 180000) { evidence_.server_version = server_version; }
  Given& roundtrip(const postgres::PgError& error, int silent_seconds = 5);
  Given& canary(const postgres::PgError& error, int silent_seconds = 60);
  Given& longquery(const postgres::PgError& error, int silent_seconds = 600);
  Given& held(int count);
  Given& aged(int seconds);  // of the latest drop; default: some minutes
  // The latest drop was queried that long before, and whether the peer's kernel acknowledged that.
  Given& asked(int seconds_before, bool acknowledged);
  Given& session_answered(int milliseconds_before);  // a new one, that long before the drops
  Given& survivor(int silent_seconds);               // older than all drops
  Given& survivor_aged(int silent_seconds, int age_seconds);
  Given& survivor_kept_alive(int silent_seconds, int keepalive_gap);
  Given& server_keepalive(int gap);
  Given& untouched();  // same start, no crash restart
  Given& bare_role();  // crash restart times are not visible
  Given& crash_restarted();
  Given& restarted();
  Given& elsewhere(double start_time);
  Given& down(const postgres::PgError& error);  // no new session until time was up
  Given& refused_at_first(const postgres::PgError& error);
  Given& unanswered_before(int silent_seconds);
  Given& survived(int silent_seconds);     // by some canary, recently
  Given& fell_before(int silent_seconds);  // although it had been survived before
  Given& oom(bool counted);
  // The server's log says so about this session (0: about the server).
  Given& log_says(Cause cause, int backend_pid = 0);
  Given& backend_pid(int pid);  // of the latest drop
  Given& pooler();
  operator Evidence() const { return evidence_; }  // NOLINT(google-explicit-constructor)

 private:
  Given& fell(ProbeKind probe, const postgres::PgError& error, int silent_seconds);
  Given& marks(double start_time, double crash_restart_time);

  Evidence evidence_;
};

}  // namespace pgconn::probes
