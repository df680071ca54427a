// What a log entry says about connections. Values; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgconn::server_log {

// The label `event`. Its names are a contract; a new one goes to the end of its group.
enum class Event {
  // A session's life.
  kConnectionReceived,
  kConnectionAuthenticated,
  kConnectionAuthorized,
  kConnectionReady,
  kDisconnection,
  // A session ended by the server.
  kAdminTerminate,
  kIdleInTransactionTimeout,
  kIdleSessionTimeout,
  kTransactionTimeout,
  kRecoveryConflict,
  kCrashBystander,
  // A session ended by its client or by the network.
  kConnectionLost,
  kProtocolViolation,
  // A statement ended; its session goes on.
  kStatementTimeout,
  kQueryCancel,
  kStatementCanceled,
  kLockTimeout,
  kLockNotAvailable,
  kDeadlock,
  kRecoveryConflictCancel,
  kSerializationFailure,
  // Waiting.
  kLockWait,
  kLockWaitEnded,
  kRecoveryConflictWait,
  // A login refused.
  kAuthenticationFailed,
  kAuthorizationRefused,
  kNoDatabase,
  kConnectDenied,
  kDatabaseNotAccepting,
  kTooManyConnections,
  kServerNotReady,
  kAuthenticationTimeout,
  kTlsError,
  kIncompleteStartup,
  kForkFailed,
  // The server itself.
  kServerStarting,
  kServerReady,
  kSmartShutdown,
  kFastShutdown,
  kImmediateShutdown,
  kServerShutDown,
  kBackendCrash,
  kCrashRestart,
  kCrashRecovery,
  kPromotion,
  kConfigurationReload,
  kPanic,
  kOutOfMemory,
  kDiskFull,
  // Replication connections.
  kReplicationAuthorized,
  kReplicationTimeout,
  kReplicationLost,
};
inline constexpr std::size_t kEvents = static_cast<std::size_t>(Event::kReplicationLost) + 1;

std::string_view to_string(Event event);

// Why a login was refused: the label `reason` of refused logins.
enum class Refusal {
  kAuthentication,   // a wrong password, certificate, ticket …
  kNoHbaEntry,       // no line of pg_hba.conf matches
  kHbaReject,        // a line of pg_hba.conf says reject
  kNoRole,           // in the log, even if the client only hears of a password
  kRoleCannotLogin,  // NOLOGIN
  kNotAuthorized,    // one of the last three, in an unknown language
  kNoSlot,           // max_connections, reserved slots
  kNoWalSender,      // max_wal_senders: only a standby or a backup is refused
  kRoleLimit,
  kDatabaseLimit,
  kNoDatabase,
  kDatabaseNotAccepting,  // ALLOW_CONNECTIONS false
  kNoPrivilege,           // CONNECT
  kServerNotReady,        // starting up, shutting down, recovering
  kTimeout,               // authentication_timeout
  kTls,
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::kTls) + 1;

std::string_view to_string(Refusal refusal);

// The stages of a login that `log_connections = setup_durations` (PostgreSQL 18) logs.
enum class LoginStage { kTotal, kFork, kAuthentication };
inline constexpr std::size_t kLoginStages = 3;

std::string_view to_string(LoginStage stage);

}  // namespace pgconn::server_log
