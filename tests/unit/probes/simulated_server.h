// A server and the path to it, with a clock that the test advances: simulates in milliseconds what
// probes and the ledger of drops meet when something goes wrong, the same for each seed. It answers
// as real servers and middleboxes do, see tests/faults for those.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "postgres/connector.h"
#include "tests/support/fake_time.h"

namespace pgconn::test {

class SimulatedConnection;

class SimulatedServer final : public postgres::Connector {
 public:
  using Span = std::chrono::milliseconds;

  SimulatedServer(FakeTime& time, unsigned seed);

  asio::awaitable<postgres::Session> dial(postgres::ConnectOptions options,
                                          postgres::Deadline deadline) override;

  // --- What the path does to connections, from now on ---
  struct Path {
    std::optional<Span> lifetime;       // each is closed at about that age
    std::optional<Span> forgets_after;  // a flow that was silent for longer
    bool resets_strangers = true;       // resets later packets of it, or swallows them
    bool swallows_all = false;          // nothing comes through, on old or new flows
  };
  Path path;
  void forget_all();  // every present flow; its later packets are swallowed or reset

  // --- What happens at the server ---
  void pause(Span duration);          // stopped processes: the kernel acknowledges, nobody answers
  void terminate(std::size_t index);  // of the open sessions: pg_terminate_backend
  void restart(Span down);            // fast shutdown, then refusals, then a new start
  void crash(std::size_t victim, Span down);   // of one backend: the others hear of it
  void end_all(const postgres::PgError& how);  // every session, with this last message
  // New sessions are refused with this error until it is cleared.
  std::optional<postgres::PgError> refusal;
  // Answers to statements with this text; others get no rows.
  std::map<std::string, postgres::Rows> answers;
  // Another server, started that many seconds ago, takes over the address.
  void replace_by(double age);

  int sessions() const { return static_cast<int>(open_.size()); }
  int sessions_for(const std::string& purpose) const;
  std::optional<Span> login;       // how long each takes; absent: up to 1.5 s, at random
  int dialed = 0;                  // attempts
  std::vector<std::string> asked;  // statements except SELECT 1
  int version = 180000;
  bool pooler = false;

 private:
  friend class SimulatedConnection;
  Span some(int least, int most);
  postgres::Answer answer(const std::string& sql);
  void admit();
  double unix_now() const;

  FakeTime& time_;
  std::mt19937 random_;
  std::vector<SimulatedConnection*> open_;
  struct Outage {
    Clock::time_point until;
    bool new_postmaster;
    postgres::PgError answer;
  };
  std::optional<Outage> outage_;
  Clock::time_point paused_until_;
  double start_time_ = 0, checkpointer_start_ = 0;
  int last_pid_ = 1000;
};

}  // namespace pgconn::test
