// The configuration as the program uses it: plain structs with their defaults. Values; immutable
// after loading, so safe from every thread. docs/configuration.md is generated from the schema
// that fills them (schema.h). A reload compares them with ==.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/allowed_place.h"
#include "files/matching_files.h"

namespace pgconn::config {

using Duration = std::chrono::milliseconds;

struct Global {
  Duration scrape_timeout = std::chrono::seconds(10);  // ceiling; Prometheus's header lowers it
  Duration scrape_timeout_offset = std::chrono::milliseconds(500);
  Duration statement_timeout = std::chrono::seconds(5);  // server side; 0 keeps the server's
  Duration lock_timeout = std::chrono::seconds(1);       // server side; 0 keeps the server's
  Duration connect_timeout = std::chrono::seconds(5);
  int max_connections_per_target = 7;
  int max_series_per_metric = 200;  // the rest are summed into "other"; 0 is no limit

  bool operator==(const Global&) const = default;
};

struct SessionsCollector {
  std::vector<Duration> ages = {std::chrono::seconds(10), std::chrono::minutes(1),
                                std::chrono::minutes(5), std::chrono::minutes(15),
                                std::chrono::hours(1)};
  int by_client = 0;  // top N client addresses; 0 is off

  bool operator==(const SessionsCollector&) const = default;
};

struct BlockingCollector {
  int traced = 100;  // sessions waiting for a lock for which the blockers are looked up

  bool operator==(const BlockingCollector&) const = default;
};

struct SettingsCollector {
  // A dead peer may hold its slot this long without the finding `keepalive_budget_too_long`.
  Duration keepalive_budget = std::chrono::seconds(180);

  bool operator==(const SettingsCollector&) const = default;
};

struct Collectors {
  // By name; a collector that is not named has its own default, on or off.
  std::map<std::string, bool> enabled;
  SessionsCollector sessions;
  BlockingCollector blocking;
  SettingsCollector settings;

  bool operator==(const Collectors&) const = default;
};

// A probe that runs each interval.
struct Probe {
  bool enabled = true;
  Duration interval{};
  Duration timeout{};  // of one run; below `interval`

  bool operator==(const Probe&) const = default;
};

struct IdleProbe {
  bool enabled = true;
  std::vector<Duration> ladder = {std::chrono::seconds(30), std::chrono::minutes(1),
                                  std::chrono::minutes(2),  std::chrono::seconds(350),
                                  std::chrono::minutes(10), std::chrono::minutes(15),
                                  std::chrono::minutes(30), std::chrono::hours(1)};
  int canaries = 2;  // connections
  Duration timeout =
      std::chrono::seconds(5);  // of connecting, and of the answer after an idle time

  bool operator==(const IdleProbe&) const = default;
};

// A query that is active but silent, run each interval.
struct LongqueryProbe {
  bool enabled = false;
  Duration interval = std::chrono::minutes(15);
  Duration sleep = std::chrono::minutes(10);   // how long the query lasts
  Duration timeout = std::chrono::seconds(5);  // of connecting, and of the answer after `sleep`

  bool operator==(const LongqueryProbe&) const = default;
};

struct CertificateProbe {
  bool enabled = true;
  Duration interval = std::chrono::minutes(5);
  Duration timeout = std::chrono::seconds(5);
  std::string roots;        // absolute path; empty: the dsn's sslrootcert, or else the system's
  bool direct_tls = false;  // begin with TLS, which PostgreSQL accepts from 17 on

  bool operator==(const CertificateProbe&) const = default;
};

struct Probes {
  Probe connect = {true, std::chrono::seconds(15), std::chrono::seconds(5)};
  Probe roundtrip = {true, std::chrono::seconds(5), std::chrono::seconds(2)};
  IdleProbe idle;
  LongqueryProbe longquery;
  CertificateProbe certificate;
  // Upper bounds of pgconn_probe_duration_seconds, in seconds, ascending.
  std::vector<double> duration_buckets = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                          0.1,    0.2,    0.5,   1,     2,     5,    10};

  bool operator==(const Probes&) const = default;
};

// A file of certificates or revocation lists.
struct WatchedFile {
  std::string name;  // the label `source`
  std::string path;  // absolute

  bool operator==(const WatchedFile&) const = default;
};

// Where the server's log comes from.
enum class LogOrigin { kNowhere, kFiles, kSql, kStdin, kJournal };
enum class LogFormat { kByName, kStderr, kCsv, kJson, kCloudNativePg, kPgbouncer };

// The server's own log.
struct ServerLog {
  LogOrigin from = LogOrigin::kNowhere;
  std::vector<std::string> files;  // absolute, as glob(7) takes them
  LogFormat format = LogFormat::kByName;
  bool container = false;                // lines as a Kubernetes node keeps them
  std::vector<std::string> units;        // of the journal; empty: all
  std::string directory;                 // of the journal's files; empty: this machine's own
  std::string line_prefix = "%m [%p] ";  // the server's log_line_prefix
  std::string state_file;                // absolute; empty: the place is not kept across restarts
  Duration interval = std::chrono::seconds(5);  // between rounds of queries

  bool operator==(const ServerLog&) const = default;
};

enum class Kind { kPostgres };

struct Target {
  std::string name;
  Kind kind = Kind::kPostgres;
  std::string dsn;            // empty: the server of libpq's environment
  std::string password_file;  // absolute; its first line is the password, read at each connect
  std::string password_env;   // name of an environment variable that holds the password
  // A program and its arguments; the first line that it prints is the password.
  std::vector<std::string> password_command;
  Duration password_lifetime = std::chrono::minutes(5);  // how long its answer is used
  std::map<std::string, std::string> labels;
  std::optional<Duration> path_idle_limit;
  Global global;                   // the file's, with this target's own values on top
  Collectors collectors;           // the file's, with this target's own values on top
  Probes probes;                   // the file's, with this target's own values on top
  std::vector<WatchedFile> files;  // the configuration file's, with this target's own on top
  ServerLog server_log;
  bool host = false;  // the server runs on this machine, which is looked at
  // No password but password_file's or password_env's: not the environment's, not libpq's file's.
  bool own_password_only = false;

  bool operator==(const Target&) const = default;
};

// Files of targets, which come and go while the exporter runs.
struct TargetFiles {
  std::vector<std::string> patterns;  // absolute, as glob(7) takes them
  Target defaults;                    // what its targets start from; nameless

  bool operator==(const TargetFiles&) const = default;
};

// How /probe logs in to servers that the request names, and to which of them.
struct AuthModule {
  std::string name;
  std::vector<AllowedPlace> allow;  // none: nowhere
  int max_per_second = 50;          // requests
  // What such a target is, but for its name and place. Its `dsn` names no server, no password.
  Target target;

  bool operator==(const AuthModule&) const = default;
};

struct Config {
  Global global;
  Collectors collectors;
  Probes probes;
  std::vector<WatchedFile> files;
  std::vector<Target> targets;
  std::vector<AuthModule> auth_modules;
  std::vector<TargetFiles> target_files;     // their targets are among `targets`
  files::FileVersions target_file_versions;  // as they were before they were read

  bool operator==(const Config&) const = default;
};

}  // namespace pgconn::config
