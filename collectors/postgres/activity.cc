#include "collectors/postgres/activity.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "collectors/postgres/readings.h"
#include "postgres/connection.h"

namespace pgconn::collectors {
namespace {

using postgres::Cell;
using postgres::Rows;

constexpr std::size_t kTimestampDigits = 16;  // 8 bytes as hex

// Microseconds since 2000-01-01, as timestamptz_send() writes them.
std::int64_t microseconds(std::string_view hex) {
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  if (error != std::errc() || end != hex.data() + hex.size()) {
    throw std::invalid_argument("not a timestamp: \"" + std::string(hex) + "\"");
  }
  return static_cast<std::int64_t>(bits);
}

// Both halves of `text` around the first `separator`; the second is empty if there is none.
std::pair<std::string_view, std::string_view> split(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

// What began after our own statement would count as negative.
double age_of(std::string_view seconds) {
  return std::max(0.0, postgres::number(std::string(seconds)).value());
}

// `pid:seconds` of the statement that waits, or `pid:seconds:blockers` of the wait itself; `?`
// stands for blockers that were not asked for.
LockWaiter read_waiter(std::string_view text) {
  const auto [pid, rest] = split(text, ':');
  const auto [seconds, blockers] = split(rest, ':');
  LockWaiter waiter;
  waiter.pid = postgres::integer(std::string(pid)).value();
  if (!seconds.empty()) waiter.seconds = age_of(seconds);
  waiter.traced = blockers != "?";
  if (waiter.traced) waiter.blockers = postgres::integers("{" + std::string(blockers) + "}");
  return waiter;
}

// A session that waits for several locks at once is the worse off for the longest.
std::map<std::int64_t, LockWaiter> read_waits(std::string_view text) {
  std::map<std::int64_t, LockWaiter> waits;
  while (!text.empty()) {
    const auto [first, others] = split(text, ';');
    LockWaiter wait = read_waiter(first);
    waits.try_emplace(wait.pid, std::move(wait));
    text = others;
  }
  return waits;
}

std::string_view text(const Cell& cell) { return postgres::text_or(cell, ""); }

struct Columns {
  explicit Columns(const Rows& rows)
      : database(rows.column("database")),
        role(rows.column("role")),
        application(rows.column("application")),
        backend_type(rows.column("backend_type")),
        state(rows.column("state")),
        wait(rows.column("wait")),
        link(rows.column("link")),
        tls_version(rows.column("tls_version")),
        tls_cipher(rows.column("tls_cipher")),
        sessions(rows.column("sessions")),
        certificates(rows.column("certificates")),
        transaction_age(rows.column("transaction_age")),
        session_age(rows.column("session_age")),
        session_start(rows.column("session_start")),
        now(rows.column("now")),
        state_changes(rows.column("state_changes")),
        pids(rows.column("pids")),
        lock_waiters(rows.column("lock_waiters")),
        lock_waits(rows.column("lock_waits")) {
    if (std::ranges::count(rows.columns(), "client") != 0) client = rows.column("client");
  }

  std::size_t database, role, application, backend_type, state, wait, link, tls_version, tls_cipher,
      sessions, certificates, transaction_age, session_age, session_start, now, state_changes, pids,
      lock_waiters, lock_waits;
  std::optional<std::size_t> client;
};

std::optional<double> age(const Cell& cell) {
  const auto seconds = postgres::number(cell);
  return seconds ? std::optional(std::max(0.0, *seconds)) : std::nullopt;
}

SessionGroup read_group(const Rows& rows, std::size_t row, const Columns& columns) {
  SessionGroup group;
  group.database = text(rows.at(row, columns.database));
  group.role = text(rows.at(row, columns.role));
  group.application = text(rows.at(row, columns.application));
  group.backend_type = postgres::text_or(rows.at(row, columns.backend_type), kClientBackend);
  group.state = text(rows.at(row, columns.state));
  std::tie(group.wait_event_type, group.wait_event) = split(text(rows.at(row, columns.wait)), '/');
  std::tie(group.transport, group.origin) = split(text(rows.at(row, columns.link)), '/');
  group.tls_version = text(rows.at(row, columns.tls_version));
  group.tls_cipher = text(rows.at(row, columns.tls_cipher));
  if (columns.client) group.client = text(rows.at(row, *columns.client));
  group.sessions = postgres::integer(rows.at(row, columns.sessions)).value();
  group.certificates = postgres::integer(rows.at(row, columns.certificates)).value();
  group.transaction_age = age(rows.at(row, columns.transaction_age));
  group.session_age = age(rows.at(row, columns.session_age));
  group.session_start = postgres::number(rows.at(row, columns.session_start));
  group.is_own = group.application.starts_with(postgres::kApplicationPrefix);
  group.now_cell = &rows.at(row, columns.now);
  group.state_changes_cell = &rows.at(row, columns.state_changes);
  group.pids_cell = &rows.at(row, columns.pids);
  group.lock_waiters_cell = &rows.at(row, columns.lock_waiters);
  group.lock_waits_cell = &rows.at(row, columns.lock_waits);
  return group;
}

}  // namespace

std::vector<double> SessionGroup::state_ages() const {
  std::vector<double> ages;
  std::string_view changes = text(*state_changes_cell);
  if (changes.empty()) return ages;
  if (changes.size() % kTimestampDigits != 0) {
    throw std::invalid_argument("state_changes is not a row of timestamps");
  }
  const std::int64_t now = microseconds(text(*now_cell));
  ages.reserve(changes.size() / kTimestampDigits);
  for (; !changes.empty(); changes.remove_prefix(kTimestampDigits)) {
    const std::int64_t since = now - microseconds(changes.substr(0, kTimestampDigits));
    ages.push_back(std::max(0.0, static_cast<double>(since) / 1e6));
  }
  return ages;
}

std::vector<std::int64_t> SessionGroup::pids() const { return postgres::integers(*pids_cell); }

std::vector<LockWaiter> SessionGroup::lock_waiters() const {
  std::vector<LockWaiter> waiters;
  std::string_view rest = text(*lock_waiters_cell);
  if (rest.empty()) return waiters;
  const std::map<std::int64_t, LockWaiter> waits = read_waits(text(*lock_waits_cell));
  while (!rest.empty()) {
    const auto [first, others] = split(rest, ';');
    LockWaiter& waiter = waiters.emplace_back(read_waiter(first));
    const auto wait = waits.find(waiter.pid);  // none: it went on between the two looks
    if (wait != waits.end()) {
      waiter.blockers = wait->second.blockers;
      waiter.traced = wait->second.traced;
      if (wait->second.seconds) waiter.seconds = wait->second.seconds;
    }
    rest = others;
  }
  return waiters;
}

std::vector<SessionGroup> read_activity(const Rows& rows) {
  const Columns columns(rows);
  std::vector<SessionGroup> groups;
  groups.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    groups.push_back(read_group(rows, row, columns));
  }
  return groups;
}

const std::vector<SessionGroup>& activity_of(const Readings& readings, const Options& options) {
  return readings.parsed(activity_reading(options), read_activity);
}

}  // namespace pgconn::collectors
