#include "sources/server_log/classify_rules.h"

#include <array>

namespace pgconn::server_log {
namespace {

constexpr Severities kLog = bit(Severity::kLog);
constexpr Severities kError = bit(Severity::kError);
constexpr Severities kFatal = bit(Severity::kFatal);
constexpr Severities kWarning = bit(Severity::kWarning);
constexpr Severities kErrors = kError | kFatal;
constexpr Severities kReports = kLog | kErrors;

constexpr Writer kAny = Writer::kAny;
constexpr Writer kSession = Writer::kSession;
constexpr Writer kServer = Writer::kServer;

constexpr std::string_view kNone = "00000";

constexpr int because(Refusal refusal) { return static_cast<int>(refusal); }

// clang-format off
constexpr auto kRules = std::to_array<Rule>({
    // The frequent ones first: every session writes them with log_connections and log_disconnections.
    {Event::kConnectionReceived, kNone, kLog, "connection received: host="},
    {Event::kConnectionAuthenticated, kNone, kLog, "connection authenticated: "},
    {Event::kConnectionAuthorized, kNone, kLog, "connection authorized: user="},
    {Event::kConnectionReady, kNone, kLog, "connection ready: "},
    {Event::kDisconnection, kNone, kLog, "disconnection: session time: "},
    {Event::kReplicationAuthorized, kNone, kLog, "replication connection authorized: user="},

    // Sessions ended by the server.
    {Event::kAdminTerminate, "57P01", kFatal, "terminating connection due to administrator command"},
    {Event::kAdminTerminate, "57P01", kFatal, "canceling the wait for synchronous replication and terminating connection due to administrator command"},
    {Event::kIdleInTransactionTimeout, "25P03", kFatal, "terminating connection due to idle-in-transaction timeout"},
    {Event::kIdleSessionTimeout, "57P05", kFatal, "terminating connection due to idle-session timeout"},
    {Event::kTransactionTimeout, "25P04", kFatal, "terminating connection due to transaction timeout"},
    {Event::kRecoveryConflict, "", kFatal, "terminating connection due to conflict with recovery"},
    {Event::kCrashBystander, "57P02", kWarning | kFatal, "terminating connection because of crash of another server process", kSession},
    {Event::kProtocolViolation, "08P01", kFatal, "terminating connection because protocol synchronization was lost"},

    // Sessions that lost their client. ETIMEDOUT has no SQLSTATE of its own in old versions.
    {Event::kConnectionLost, "", kReports, "could not receive data from client: "},
    {Event::kConnectionLost, "", kReports, "could not send data to client: "},
    {Event::kConnectionLost, "08006", kReports, "unexpected EOF on client connection with an open transaction"},
    {Event::kConnectionLost, "08", kReports, "unexpected EOF on client connection"},
    {Event::kConnectionLost, "08006", kReports, "connection to client lost"},
    {Event::kConnectionLost, "08P01", kReports, "SSL error: unexpected eof while reading"},
    {Event::kConnectionLost, "08006", kReports, "connection lost during COPY to stdout"},

    // Statements.
    {Event::kAuthenticationTimeout, "57014", kFatal, "canceling authentication due to timeout", kAny, because(Refusal::kTimeout)},
    {Event::kStatementTimeout, "57014", kError, "canceling statement due to statement timeout"},
    {Event::kQueryCancel, "57014", kError, "canceling statement due to user request"},
    {Event::kLockTimeout, "55P03", kError, "canceling statement due to lock timeout"},
    {Event::kLockNotAvailable, "55P03", kError, "could not obtain lock on "},
    {Event::kRecoveryConflictCancel, "", kError, "canceling statement due to conflict with recovery"},
    {Event::kDeadlock, "40P01", kError, "deadlock detected"},

    // Waiting: log_lock_waits, log_recovery_conflict_waits.
    {Event::kLockWait, kNone, kLog, "process *still waiting for "},
    {Event::kLockWaitEnded, kNone, kLog, "process *acquired "},
    {Event::kRecoveryConflictWait, kNone, kLog, "recovery still waiting after ", kServer},

    // Refused logins.
    {Event::kAuthenticationFailed, "28P01", kFatal, "password authentication failed for user ", kAny, because(Refusal::kAuthentication)},
    {Event::kAuthorizationRefused, "28000", kFatal, "no pg_hba.conf entry for ", kAny, because(Refusal::kNoHbaEntry)},
    {Event::kAuthorizationRefused, "28000", kFatal, "pg_hba.conf rejects ", kAny, because(Refusal::kHbaReject)},
    {Event::kAuthorizationRefused, "28000", kFatal, "role *\" does not exist", kAny, because(Refusal::kNoRole)},
    {Event::kAuthorizationRefused, "28000", kFatal, "role *\" is not permitted to log in", kAny, because(Refusal::kRoleCannotLogin)},
    {Event::kAuthenticationFailed, "28000", kFatal, "connection requires a valid client certificate", kAny, because(Refusal::kAuthentication)},
    {Event::kAuthenticationFailed, "28", kFatal, "*authentication failed for user ", kAny, because(Refusal::kAuthentication)},
    {Event::kNoDatabase, "3D000", kFatal, "database *\" does not exist", kAny, because(Refusal::kNoDatabase)},
    {Event::kConnectDenied, "42501", kFatal, "permission denied for database ", kAny, because(Refusal::kNoPrivilege)},
    {Event::kDatabaseNotAccepting, "55000", kFatal, "database *\" is not currently accepting connections", kAny, because(Refusal::kDatabaseNotAccepting)},
    {Event::kTooManyConnections, "53300", kFatal, "too many connections for role ", kAny, because(Refusal::kRoleLimit)},
    {Event::kTooManyConnections, "53300", kFatal, "too many connections for database ", kAny, because(Refusal::kDatabaseLimit)},
    {Event::kTooManyConnections, "53300", kFatal, "sorry, too many clients already", kAny, because(Refusal::kNoSlot)},
    {Event::kTooManyConnections, "53300", kFatal, "remaining connection slots are reserved for ", kAny, because(Refusal::kNoSlot)},
    {Event::kTooManyConnections, "53300", kFatal, "number of requested standby connections exceeds ", kAny, because(Refusal::kNoWalSender)},
    {Event::kServerNotReady, "57P03", kFatal, "the database system is ", kAny, because(Refusal::kServerNotReady)},
    {Event::kTlsError, "", kReports, "could not accept SSL connection: ", kAny, because(Refusal::kTls)},
    {Event::kTlsError, "", kReports, "could not initialize SSL connection: ", kAny, because(Refusal::kTls)},
    {Event::kTlsError, "08P01", kReports, "SSL error: "},
    {Event::kIncompleteStartup, "08P01", kReports, "incomplete startup packet"},
    {Event::kProtocolViolation, "08P01", kReports, "invalid length of startup packet"},
    {Event::kProtocolViolation, "0A000", kFatal, "unsupported frontend protocol "},
    {Event::kForkFailed, "", kLog, "could not fork new process for connection: ", kServer, because(Refusal::kNoSlot)},
    {Event::kForkFailed, "", kLog, "could not fork \"client backend\" process: ", kServer, because(Refusal::kNoSlot)},

    // The server itself.
    {Event::kServerStarting, kNone, kLog, "starting PostgreSQL ", kServer},
    {Event::kServerReady, kNone, kLog, "database system is ready to accept ", kServer},
    {Event::kSmartShutdown, kNone, kLog, "received smart shutdown request", kServer},
    {Event::kFastShutdown, kNone, kLog, "received fast shutdown request", kServer},
    {Event::kImmediateShutdown, kNone, kLog, "received immediate shutdown request", kServer},
    {Event::kServerShutDown, kNone, kLog, "database system is shut down", kServer},
    {Event::kBackendCrash, kNone, kLog, "*) was terminated by signal ", kServer},
    {Event::kBackendCrash, kNone, kLog, "*) was terminated by exception ", kServer},
    {Event::kBackendCrash, kNone, kLog, "server process *) exited with exit code ", kServer},
    {Event::kBackendCrash, kNone, kLog, "client backend *) exited with exit code ", kServer},
    {Event::kCrashRestart, kNone, kLog, "all server processes terminated; reinitializing", kServer},
    {Event::kCrashRecovery, kNone, kLog, "database system was not properly shut down; automatic recovery in progress", kServer},
    {Event::kPromotion, kNone, kLog, "received promote request", kServer},
    {Event::kConfigurationReload, kNone, kLog, "received SIGHUP, reloading configuration files", kServer},

    // Replication: a sender that ends, a receiver that lost its primary.
    {Event::kReplicationTimeout, "", kReports, "terminating walsender process due to replication timeout"},
    {Event::kReplicationTimeout, "", kReports, "terminating walreceiver due to timeout"},
    {Event::kReplicationTimeout, "", kReports, "terminating logical replication worker due to timeout"},
    {Event::kReplicationLost, "", kReports, "could not receive data from WAL stream: "},
    {Event::kReplicationLost, "", kReports, "could not send data to WAL stream: "},
    {Event::kReplicationLost, "", kReports, "replication terminated by primary server"},
    {Event::kReplicationLost, "", kReports, "unexpected EOF on standby connection"},
    {Event::kReplicationLost, "", kFatal | kError, "*could not connect to the primary server: "},
    {Event::kReplicationLost, "", kReports, "streaming replication receiver \"*\" could not connect to the primary server: "},

    // Processes without a session.
    {std::nullopt, "57P01", kFatal, "terminating "},
    {std::nullopt, "57014", kError, "canceling autovacuum task"},

    // What a SQLSTATE says in any language. Any process can have 57P01: only a session's is a loss.
    {Event::kAdminTerminate, "57P01", kFatal, "", kSession},
    {Event::kIdleInTransactionTimeout, "25P03", kFatal, ""},
    {Event::kIdleSessionTimeout, "57P05", kFatal, ""},
    {Event::kTransactionTimeout, "25P04", kFatal, ""},
    {Event::kRecoveryConflict, "40001", kFatal, ""},
    {Event::kRecoveryConflict, "57P04", kFatal, ""},
    {Event::kCrashBystander, "57P02", kWarning | kFatal, "", kSession},
    {Event::kServerNotReady, "57P03", kFatal, "", kAny, because(Refusal::kServerNotReady)},
    {Event::kAuthenticationTimeout, "57014", kFatal, "", kAny, because(Refusal::kTimeout)},
    {Event::kStatementCanceled, "57014", kError, "", kSession},
    {Event::kLockNotAvailable, "55P03", kError, "", kSession},
    {Event::kDeadlock, "40P01", kError, ""},
    {Event::kSerializationFailure, "40001", kError, ""},
    {Event::kConnectionLost, "08006", kReports, "", kSession},
    {Event::kConnectionLost, "08003", kReports, "", kSession},
    {Event::kProtocolViolation, "08P01", kReports, "", kSession},
    {Event::kAuthenticationFailed, "28P01", kFatal, "", kAny, because(Refusal::kAuthentication)},
    {Event::kAuthorizationRefused, "28000", kFatal, "", kAny, because(Refusal::kNotAuthorized)},
    {Event::kNoDatabase, "3D000", kFatal, "", kAny, because(Refusal::kNoDatabase)},
    {Event::kConnectDenied, "42501", kFatal, "", kSession, because(Refusal::kNoPrivilege)},
    {Event::kDatabaseNotAccepting, "55000", kFatal, "", kSession, because(Refusal::kDatabaseNotAccepting)},
    {Event::kTooManyConnections, "53300", kFatal, "", kAny, because(Refusal::kNoSlot)},
    {Event::kOutOfMemory, "53200", kReports, ""},
    {Event::kDiskFull, "53100", kReports | bit(Severity::kPanic), ""},
    {Event::kPanic, "", bit(Severity::kPanic), "*"},
});
// clang-format on

}  // namespace

std::span<const Rule> rules() { return kRules; }

}  // namespace pgconn::server_log
