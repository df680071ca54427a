// What a collector is: a query and a pure function. A collector is stateless and shared by all
// targets; it does no I/O and reads no clock. Immutable, so safe from every thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/finding.h"
#include "metrics/batch.h"
#include "metrics/descriptor.h"
#include "postgres/connection.h"

namespace pgconn::collectors {

// What the operator can tune. The defaults are those of the configuration file.
struct Options {
  std::vector<std::chrono::seconds> ages = {std::chrono::seconds(10), std::chrono::minutes(1),
                                            std::chrono::minutes(5), std::chrono::minutes(15),
                                            std::chrono::hours(1)};
  int by_client = 0;  // top N client addresses; 0 is off
  // For how many sessions that wait for a lock the blockers are looked up, the longest waiting
  // first.
  int blocking_traced = 100;
  // A dead peer may hold its slot this long (keepalive idle + interval × count) without a finding.
  std::chrono::seconds keepalive_budget{180};
  // Idle time that the network path is known to allow; nullopt if unknown.
  std::optional<std::chrono::milliseconds> path_idle_limit;
  // The dsn has a password and lets anything that answers ask for it.
  bool password_exposed = false;
};

// SQL for servers from `min_version` (as PQserverVersion) on.
struct VersionedSql {
  int min_version = 0;
  std::string_view sql;
};

// What a collector or a reading requires; if it is missing, the log says so and names the grant.
enum class Need {
  kNothing,
  kSessions,  // Visibility::sessions
  kHbaRules,  // Visibility::hba_rules
  kIdentity,  // Visibility::identity
};

// When an answer can change, so that a target need not ask for what it knows.
enum class Refresh {
  kEachScrape,
  // Only with a new session or a reload of the server's configuration: the target keeps the answer
  // as long as its session and ServerFacts::config_load_time stay the same.
  kEachConfiguration,
};

// One query to the server. Readings are constants, identified by address: one that several
// collectors name is sent once per scrape. SQL must not end in a semicolon.
struct Reading {
  std::string_view name;              // also the name of its prepared statement
  std::span<const VersionedSql> sql;  // newest first
  Refresh refresh = Refresh::kEachScrape;
  // Must not be sent without it: the server would log an ERROR at every scrape.
  Need need = Need::kNothing;
  // Kept even if it failed, as on servers that only resemble PostgreSQL: nothing depends on it.
  bool once = false;

  // The SQL for a server, or nullopt if it is older than the oldest entry.
  std::optional<std::string_view> for_version(int server_version) const;
};

// The answers of one scrape. For one thread at a time.
class Readings {
 public:
  // Copies and moved-from objects drop parsed values, which may point into their rows.
  Readings() = default;
  Readings(const Readings& other) : answers_(other.answers_) {}
  Readings& operator=(const Readings& other) {
    if (this != &other) *this = Readings(other);
    return *this;
  }
  Readings(Readings&&) = default;
  Readings& operator=(Readings&&) = default;

  void put(const Reading& reading, postgres::Answer answer) {
    parsed_.erase(&reading);
    answers_.insert_or_assign(&reading, std::move(answer));
  }
  // Throws the PgError this reading got; PgError(kTimeout) if no answer came in time.
  const postgres::Rows& rows(const Reading& reading) const;
  // The same for a reading that a collector does not require: nullptr if there are no rows,
  // whatever the reason.
  const postgres::Rows* find(const Reading& reading) const;
  bool has(const Reading& reading) const { return answers_.contains(&reading); }

  // What `parse` makes of rows(reading), parsed once for all callers; always the same `parse` for a
  // reading. Throws as both do. Valid as long as the answer is not replaced.
  template <typename Parsed>
  const Parsed& parsed(const Reading& reading, Parsed (*parse)(const postgres::Rows&)) const {
    auto& made = parsed_[&reading];
    if (!made) made = std::make_shared<const Parsed>(parse(rows(reading)));
    return *static_cast<const Parsed*>(made.get());
  }

 private:
  std::map<const Reading*, postgres::Answer> answers_;
  mutable std::map<const Reading*, std::shared_ptr<const void>> parsed_;
};

// What our role may see. False where that is not known yet.
struct Visibility {
  bool sessions = false;   // other roles' sessions: pg_read_all_stats
  bool settings = false;   // all settings: pg_read_all_settings
  bool logs = false;       // server log functions: pg_monitor or superuser
  bool identity = false;   // EXECUTE on pg_control_system() and the like: every role has it
  bool hba_rules = false;  // EXECUTE on pg_hba_file_rules(): superuser, or granted

  bool has(Need need) const;
};

struct CollectContext {
  int server_version = 0;
  Visibility visibility;
  const Options& options;
  // The server has reloaded its configuration since our session began.
  bool outdated_session = false;
  // Connection::login_warnings() of our session.
  std::span<const std::string> login_warnings = {};
};

struct CollectorInfo {
  std::string_view name;
  std::string_view help;  // one sentence for `list collectors`
  bool on_by_default = true;
  int min_version = 0;  // 0: whatever its kind of target takes
  Need need = Need::kNothing;
  std::span<const metrics::Descriptor* const> descriptors;  // all that collect() may add
};

// Samples for Prometheus, and a fuller text for people.
struct CollectorOutput {
  metrics::MetricBatch batch;
  std::vector<Finding> findings;
};

class Collector {
 public:
  virtual ~Collector() = default;
  virtual const CollectorInfo& info() const = 0;
  // What it reads; may depend on the options, never on the server.
  virtual std::vector<const Reading*> readings(const Options& options) const = 0;
  // Pure. Throws PgError if a reading that it requires failed, std::exception if rows are not of
  // the shape it expects.
  virtual CollectorOutput collect(const Readings& readings,
                                  const CollectContext& context) const = 0;
};

}  // namespace pgconn::collectors
