// The answer of activity_reading() as the collectors see it: groups of sessions that agree in all
// that is told apart, of every kind of backend, our own sessions included. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/collector.h"
#include "postgres/rows.h"

namespace pgconn::collectors {

inline constexpr std::string_view kClientBackend = "client backend";

struct LockWaiter {
  std::int64_t pid = 0;
  std::optional<double> seconds;       // it waits; before PostgreSQL 14 since its statement began
  std::vector<std::int64_t> blockers;  // pg_blocking_pids(); 0 is a prepared transaction
  bool traced = true;                  // false: nobody asked who blocks it
};

// Views into the Rows it was read from. Empty text: not set, or (backend_type aside) not visible.
struct SessionGroup {
  std::string_view database, role, application;
  std::string_view backend_type = kClientBackend;  // so too where it is not visible
  std::string_view state;
  std::string_view wait_event_type, wait_event;  // of active sessions
  std::string_view transport;                    // unix, plain, tls, gss
  std::string_view origin;                       // local (socket or loopback), remote
  std::string_view tls_version, tls_cipher;
  std::string_view client;  // address, only if the reading tells clients apart
  std::int64_t sessions = 0;
  std::int64_t certificates = 0;          // how many of them showed a client certificate
  std::optional<double> transaction_age;  // seconds; of the oldest transaction
  std::optional<double> session_age;      // seconds; of the oldest session
  std::optional<double> session_start;    // Unix time; of the oldest session
  bool is_own = false;                    // opened by this program

  bool is_client() const { return backend_type == kClientBackend; }
  // A session that counts as the application's: a client's and not our own.
  bool is_counted() const { return is_client() && !is_own; }
  bool is_idle_in_transaction() const { return state.starts_with("idle in transaction"); }

  // Decoded on demand, because most collectors do without. Seconds each session has been in its
  // state; sessions whose time is not known are left out.
  std::vector<double> state_ages() const;
  std::vector<std::int64_t> pids() const;
  std::vector<LockWaiter> lock_waiters() const;

  const postgres::Cell* now_cell = nullptr;
  const postgres::Cell* state_changes_cell = nullptr;
  const postgres::Cell* pids_cell = nullptr;
  const postgres::Cell* lock_waiters_cell = nullptr;
  const postgres::Cell* lock_waits_cell = nullptr;
};

// `rows` must outlive the result. Throws std::exception if they are not of that reading.
std::vector<SessionGroup> read_activity(const postgres::Rows& rows);

// The same, read once a scrape. Throws what rows() of that reading would, too.
const std::vector<SessionGroup>& activity_of(const Readings& readings, const Options& options);

}  // namespace pgconn::collectors
