// From what ends a session to the cause that is reported: real servers end sessions in every
// state that a session can be in, and what a probe would have seen is attributed. Idle ones are the
// subject of tests/faults too, where the whole exporter watches.
#include "probes/drops/attribution.h"
#include "probes/drops/server_marks.h"
#include "tests/integration/servers.h"
#include "tests/integration/waiter.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using postgres::Connection;
using postgres::PgError;
using probes::Drop;
using probes::Evidence;
using probes::ProbeKind;
using probes::ServerMarks;
using Clock = std::chrono::steady_clock;

enum class Doing { kIdle, kActive, kInTransaction };

std::string_view to_string(Doing doing) {
  switch (doing) {
    case Doing::kIdle:
      return "idle";
    case Doing::kActive:
      return "active";
    case Doing::kInTransaction:
      return "in a transaction";
  }
  return "";
}

// One session that is held, and what it is doing when it is lost.
struct Held {
  Doing doing;
  std::unique_ptr<Connection> connection;
  std::unique_ptr<Waiter> waiter = {};
  Clock::time_point last_answer = Clock::now();
};

// Holds sessions on one server, sees them end, and finds out why as the drop ledger does.
class Watch {
 public:
  explicit Watch(const Server& server) : server_(server) {
    // Starts and crashes within two seconds of each other look the same from outside.
    client_.eventually("the server is older than that", [&] {
      return Admin(server_).value(
                 "SELECT clock_timestamp() > max(backend_start) + interval '3 s' FROM "
                 "pg_stat_activity WHERE backend_type = 'checkpointer'") == "t";
    });
    evidence_.before = marks();
  }

  // `setting` is a SET of the session's own, or empty.
  void hold(Doing doing, const std::string& setting = "") {
    Held& held = held_.emplace_back(doing, client_.connect(server_.dsn));
    if (!setting.empty()) client_.value(*held.connection, setting);
    if (doing == Doing::kInTransaction) client_.value(*held.connection, "BEGIN");
    held.last_answer = Clock::now();
    if (doing != Doing::kActive) {
      held.waiter = Waiter::watching(client_, *held.connection);
      return;
    }
    held.waiter = Waiter::asking(client_, *held.connection);
    Admin admin(server_);
    wait_until_active(client_, admin, *held.connection);
  }

  std::string pid(std::size_t index) const {
    return std::to_string(held_[index].connection->backend_pid());
  }

  // Waits until the session is lost, and records that.
  const PgError& lost(std::size_t index) {
    Held& held = held_[index];
    const PgError error = held.waiter->end(client_);
    const bool is_active = held.doing == Doing::kActive;
    const Clock::time_point now = Clock::now();
    evidence_.drops.push_back({.probe = is_active ? ProbeKind::kRoundtrip : ProbeKind::kIdle,
                               .error = error,
                               .at = now,
                               .silent_for = now - held.last_answer,
                               .in_transaction = held.doing == Doing::kInTransaction});
    return evidence_.drops.back().error;
  }

  bool is_lost(std::size_t index) const { return held_[index].waiter->over(); }

  // Where the server goes on as it was.
  probes::Verdict verdict() {
    return verdict([](const ServerMarks&) { return true; });
  }
  probes::Verdict verdict_after_restart() {
    return verdict([before = evidence_.before.start_time](const ServerMarks& after) {
      return after.start_time > before;
    });
  }
  probes::Verdict verdict_after_crash() {
    return verdict([before = evidence_.before.crash_restart_time](const ServerMarks& after) {
      return after.crash_restart_time > before;
    });
  }

 private:
  // Tries new sessions until one sees the server as `is_over` wants it: a postmaster needs a moment
  // to notice that a backend died.
  probes::Verdict verdict(const std::function<bool(const ServerMarks&)>& is_over) {
    client_.eventually("the server is back", [&] {
      try {
        evidence_.after = marks();
        return is_over(evidence_.after);
      } catch (const PgError& error) {
        evidence_.failed_reconnects.push_back(error);
        return false;
      }
    });
    evidence_.reconnected = true;
    evidence_.held = static_cast<int>(held_.size());
    return attribute(evidence_);
  }

  ServerMarks marks() {
    const auto connection = client_.connect(server_.plain(), {"diagnose"});
    evidence_.server_version = connection->server_version();
    const auto deadline = Clock::now() + Client::kPatience;
    const async::SystemTime time(client_.io.get_executor());
    return test::run(client_.io, probes::look_at_server(*connection, time, deadline)).marks;
  }

  const Server& server_;
  Client client_;
  std::vector<Held> held_;
  Evidence evidence_;
};

void check(const probes::Verdict& verdict, std::string_view cause, std::string_view scope) {
  CAPTURE(verdict.because);
  CHECK(to_string(verdict.cause) == cause);
  CHECK(to_string(verdict.scope) == scope);
}

// Where a loss is noticed in these states.
std::string_view phase_of(Doing doing) { return doing == Doing::kActive ? "query" : "idle"; }

constexpr std::array kStates = {Doing::kIdle, Doing::kActive, Doing::kInTransaction};

void kill_as_the_kernel_would(const Server& server, const std::string& pid) {
  Admin(server).run_fatally("COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; kill -9 " + pid + "'");
}

TEST_CASE("whatever a session is doing, its termination is the administrator's") {
  for (const Server& server : servers()) {
    for (const Doing doing : kStates) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << to_string(doing)) {
        Watch watch(server);
        watch.hold(doing);
        watch.hold(Doing::kIdle);  // stays
        Admin(server).run("SELECT pg_terminate_backend(" + watch.pid(0) + ")");
        check_loss(watch.lost(0), phase_of(doing), "terminated", "57P01");
        check(watch.verdict(), "admin_terminate", "one");
      }
    }
  }
}

TEST_CASE("whatever its sessions are doing, a shutdown of the server is reported as one") {
  for (const Server& server : servers()) {
    for (const std::string mode : {"fast", "immediate"}) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << mode) {
        Watch watch(server);
        for (const Doing doing : kStates) watch.hold(doing);
        begin_restart(server, mode);
        const bool as_a_crash = mode == "immediate" && server.version == 13;
        for (std::size_t i = 0; i < kStates.size(); ++i) {
          check_loss(watch.lost(i), phase_of(kStates[i]), "terminated",
                     as_a_crash ? "57P02" : "57P01");
        }
        check(watch.verdict_after_restart(), "server_shutdown", "all");
      }
    }
  }
}

TEST_CASE("whatever its victim and the bystanders are doing, a crash is reported as one") {
  for (const Server& server : servers()) {
    for (const Doing victim : kStates) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << to_string(victim)) {
        Watch watch(server);
        watch.hold(victim);
        for (const Doing bystander : kStates) watch.hold(bystander);
        kill_as_the_kernel_would(server, watch.pid(0));
        check_loss(watch.lost(0), phase_of(victim), "closed", "");
        for (std::size_t i = 0; i < kStates.size(); ++i) {
          check_loss(watch.lost(1 + i), phase_of(kStates[i]), "terminated", "57P02");
        }
        check(watch.verdict_after_crash(), "crash", "all");
      }
    }
  }
}

TEST_CASE(
    "the victim of a crash that held the only connection is recognised by the server's times") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Watch watch(server);
      watch.hold(Doing::kActive);
      kill_as_the_kernel_would(server, watch.pid(0));
      check_loss(watch.lost(0), "query", "closed", "");
      check(watch.verdict_after_crash(), "crash", "one");
    }
  }
}

TEST_CASE(
    "a bystander of a crash that held the only connection is recognised by its last message") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Watch watch(server);
      watch.hold(Doing::kInTransaction);
      Client stranger;
      const auto victim = stranger.connect(server.dsn);
      kill_as_the_kernel_would(server, std::to_string(victim->backend_pid()));
      check_loss(watch.lost(0), "idle", "terminated", "57P02");
      check(watch.verdict_after_crash(), "crash", "one");
    }
  }
}

TEST_CASE("a timeout that ends its session is the cause, and no other session falls") {
  struct Timeout {
    const char* name;
    int since;  // version
    Doing doing;
    const char* sqlstate;
    const char* cause;
  };
  constexpr Timeout kTimeouts[] = {
      {"idle_in_transaction_session_timeout", 13, Doing::kInTransaction, "25P03",
       "idle_in_transaction_timeout"},
      {"idle_session_timeout", 14, Doing::kIdle, "57P05", "idle_session_timeout"},
      {"transaction_timeout", 17, Doing::kInTransaction, "25P04", "transaction_timeout"},
      {"transaction_timeout", 17, Doing::kActive, "25P04", "transaction_timeout"},
  };
  for (const Server& server : servers()) {
    for (const Timeout& timeout : kTimeouts) {
      if (server.version < timeout.since) continue;
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << timeout.name << " while "
                                    << to_string(timeout.doing)) {
        Watch watch(server);
        // An active one must first be seen at work, on a busy machine.
        const std::string after = timeout.doing == Doing::kActive ? "3s" : "1s";
        watch.hold(timeout.doing, std::string("SET ") + timeout.name + " = '" + after + "'");
        watch.hold(Doing::kInTransaction);
        watch.hold(Doing::kIdle);
        check_loss(watch.lost(0), phase_of(timeout.doing), "terminated", timeout.sqlstate);
        CHECK_FALSE(watch.is_lost(1));
        CHECK_FALSE(watch.is_lost(2));
        check(watch.verdict(), timeout.cause, "one");
      }
    }
  }
}

TEST_CASE("a cancelled query costs its transaction at most, an idle session nothing") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Client client;
      const auto connection = client.connect(server.dsn);
      client.value(*connection, "BEGIN");
      const auto answers =
          client.ask(*connection, {{"SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)", ""},
                                   {"SELECT 1", ""},
                                   {"ROLLBACK", ""}});
      const auto& cancelled = std::get<PgError>(answers[0]);
      CHECK(cancelled.sqlstate() == "57014");
      CHECK(to_string(cancelled.reason()) == "canceled");
      CHECK_FALSE(cancelled.fatal());
      CHECK(std::get<PgError>(answers[1]).sqlstate() == "25P02");
      const auto waiter = Waiter::watching(client, *connection);
      Admin(server).run("SELECT pg_cancel_backend(" + std::to_string(connection->backend_pid()) +
                        ")");
      Admin(server).run("SELECT pg_sleep(0.2)");
      client.io.poll();
      CHECK_FALSE(waiter->over());
      CHECK(connection->is_open());
    }
  }
}

}  // namespace
}  // namespace pgconn::test
