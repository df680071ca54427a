#include "sources/server_log/event.h"

#include <array>

namespace pgconn::server_log {
namespace {

// In the order of their enumerations.
constexpr std::array<std::string_view, kEvents> kEventNames = {
    "connection_received",
    "connection_authenticated",
    "connection_authorized",
    "connection_ready",
    "disconnection",
    "admin_terminate",
    "idle_in_transaction_timeout",
    "idle_session_timeout",
    "transaction_timeout",
    "recovery_conflict",
    "crash_bystander",
    "connection_lost",
    "protocol_violation",
    "statement_timeout",
    "query_cancel",
    "statement_canceled",
    "lock_timeout",
    "lock_not_available",
    "deadlock",
    "recovery_conflict_cancel",
    "serialization_failure",
    "lock_wait",
    "lock_wait_ended",
    "recovery_conflict_wait",
    "authentication_failed",
    "authorization_refused",
    "no_database",
    "connect_denied",
    "database_not_accepting",
    "too_many_connections",
    "server_not_ready",
    "authentication_timeout",
    "tls_error",
    "incomplete_startup",
    "fork_failed",
    "server_starting",
    "server_ready",
    "smart_shutdown",
    "fast_shutdown",
    "immediate_shutdown",
    "server_shut_down",
    "backend_crash",
    "crash_restart",
    "crash_recovery",
    "promotion",
    "configuration_reload",
    "panic",
    "out_of_memory",
    "disk_full",
    "replication_authorized",
    "replication_timeout",
    "replication_lost",
};
static_assert(!kEventNames.back().empty());

constexpr std::array<std::string_view, kRefusals> kRefusalNames = {
    "authentication",    "no_hba_entry",     "hba_reject",  "no_role",
    "role_cannot_login", "not_authorized",   "no_slot",     "no_wal_sender",
    "role_limit",        "database_limit",   "no_database", "database_not_accepting",
    "no_privilege",      "server_not_ready", "timeout",     "tls",
};
static_assert(!kRefusalNames.back().empty());

constexpr std::array<std::string_view, kLoginStages> kStageNames = {
    "total",
    "fork",
    "authentication",
};
static_assert(!kStageNames.back().empty());

}  // namespace

std::string_view to_string(Event event) { return kEventNames.at(static_cast<std::size_t>(event)); }

std::string_view to_string(Refusal refusal) {
  return kRefusalNames.at(static_cast<std::size_t>(refusal));
}

std::string_view to_string(LoginStage stage) {
  return kStageNames.at(static_cast<std::size_t>(stage));
}

}  // namespace pgconn::server_log
