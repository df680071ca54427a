#include "tests/unit/probes/simulated_server.h"

#include <algorithm>
#include <utility>

#include "async/event.h"
#include "postgres/answer.h"
#include "tests/unit/probes/drops/given_evidence.h"

namespace pgconn::test {

using postgres::Answer;
using postgres::PgError;
using postgres::Phase;
using postgres::Reason;
using postgres::Rows;

class SimulatedConnection final : public postgres::Connection {
 public:
  SimulatedConnection(SimulatedServer& server, std::string purpose)
      : server_(server),
        purpose_(std::move(purpose)),
        pid_(++server.last_pid_),
        accepted_(server.time_.now()),
        last_packet_(accepted_),
        changed_(server.time_) {
    server_.open_.push_back(this);
    if (server_.path.lifetime) {
      ends_ = accepted_ + *server_.path.lifetime * (server_.some(960, 1040).count()) / 1000;
    }
  }
  ~SimulatedConnection() override { std::erase(server_.open_, this); }

  asio::awaitable<void> pipeline(std::span<const postgres::Query> queries,
                                 postgres::Deadline deadline, std::vector<Answer>& answers,
                                 std::vector<postgres::Deadline>* arrivals) override {
    answers.clear();
    acknowledged_.reset();
    const bool answered = co_await comes_through(deadline);
    if (!answered) {
      close();
      throw probes::unanswered();
    }
    last_packet_ = server_.time_.now();
    for (const postgres::Query& query : queries) {
      answers.push_back(server_.answer(query.sql));
      if (arrivals != nullptr) arrivals->push_back(last_packet_);
    }
  }

  asio::awaitable<void> ask(std::span<const postgres::Query> queries, postgres::Deadline deadline,
                            std::vector<Answer>& answers,
                            std::vector<postgres::Deadline>* arrivals) override {
    return pipeline(queries, deadline, answers, arrivals);
  }

  asio::awaitable<std::optional<PgError>> watch(postgres::Deadline deadline) override {
    interrupted_ = false;
    while (!interrupted_ && server_.time_.now() < deadline) {
      end_of_age();
      if (lost_) {
        closed_ = true;
        co_return lost_;
      }
      if (closed_) throw stopped();
      co_await changed_.wait_until(std::min(deadline, ends_));
    }
    co_return std::nullopt;
  }
  void interrupt() override {
    interrupted_ = true;
    changed_.notify();
  }
  void close() noexcept override {
    closed_ = true;
    changed_.notify();
  }
  bool is_open() const override { return !closed_; }
  const std::vector<std::string>& login_warnings() const override { return warnings_; }
  const postgres::ConnectTimings& timings() const override { return timings_; }
  int server_version() const override { return server_.version; }
  int backend_pid() const override { return pid_; }
  std::optional<bool> is_direct() const override { return !server_.pooler; }
  std::optional<bool> was_acknowledged() const override { return acknowledged_; }
  std::optional<std::chrono::seconds> keepalive_gap() const override { return std::nullopt; }
  std::pair<std::string, std::string> addresses() const override { return {}; }
  std::string host() const override { return "server.example"; }
  std::string endpoint() const override { return "192.0.2.1:5432"; }
  std::string port() const override { return "5432"; }

  void end(PgError how) {
    lost_ = std::move(how);
    changed_.notify();
  }
  void forget() { forgotten_ = true; }
  const std::string& purpose() const { return purpose_; }

 private:
  static PgError stopped() { return PgError(Phase::kQuery, Reason::kStopped, "", "closed", true); }

  void end_of_age() {
    if (server_.time_.now() >= ends_ && !lost_) lost_ = probes::closed();
  }

  // Whether a query is answered by then. Throws if the connection was lost.
  asio::awaitable<bool> comes_through(postgres::Deadline deadline) {
    const Clock::time_point sent = server_.time_.now();
    const auto& limit = server_.path.forgets_after;
    if (limit && sent - last_packet_ > *limit) forgotten_ = true;
    const Clock::time_point reply = sent + SimulatedServer::Span(10);
    for (;;) {
      end_of_age();
      if (closed_) throw stopped();
      if (lost_) {
        closed_ = true;
        throw *lost_;
      }
      const Clock::time_point now = server_.time_.now();
      if (now >= deadline) co_return false;
      const bool swallowed = server_.path.swallows_all;
      acknowledged_ = !forgotten_ && !swallowed;
      Clock::time_point next = std::max(reply, server_.paused_until_);
      if (swallowed || (forgotten_ && !server_.path.resets_strangers)) {
        next = deadline;
      } else if (now >= reply && forgotten_) {
        closed_ = true;
        throw probes::reset();
      } else if (now >= next) {
        co_return true;
      }
      next = std::min(next, std::min(deadline, ends_));
      co_await changed_.wait_until(next);
    }
  }

  SimulatedServer& server_;
  std::string purpose_;
  int pid_;
  Clock::time_point accepted_, last_packet_;
  Clock::time_point ends_ = Clock::time_point::max();
  async::Event changed_;
  bool closed_ = false, interrupted_ = false, forgotten_ = false;
  std::optional<PgError> lost_;
  std::optional<bool> acknowledged_;
  std::vector<std::string> warnings_;
  postgres::ConnectTimings timings_;
};

SimulatedServer::SimulatedServer(FakeTime& time, unsigned seed) : time_(time), random_(seed) {
  start_time_ = unix_now() - 500'000;
  checkpointer_start_ = start_time_ + 0.1;
}

double SimulatedServer::unix_now() const {
  return std::chrono::duration<double>(time_.date().time_since_epoch()).count();
}

SimulatedServer::Span SimulatedServer::some(int least, int most) {
  return Span(std::uniform_int_distribution(least, most)(random_));
}

asio::awaitable<postgres::Session> SimulatedServer::dial(postgres::ConnectOptions options,
                                                         postgres::Deadline deadline) {
  ++dialed;
  const Clock::time_point begin = time_.now();
  const Clock::time_point accepted = begin + (login ? Span(0) : some(0, 50));
  const Clock::time_point ready = accepted + login.value_or(some(5, 1500));  // a busy machine
  co_await time_.sleep_until(std::min(accepted, deadline));
  if (path.swallows_all) {
    co_await time_.sleep_until(deadline);
    throw probes::no_tcp_answer();
  }
  admit();
  postgres::Session session;
  session.connection = std::make_unique<SimulatedConnection>(*this, options.purpose);
  co_await time_.sleep_until(std::min(ready, deadline));
  while (paused_until_ > time_.now() && time_.now() < deadline) {
    co_await time_.sleep_until(std::min(paused_until_, deadline));
  }
  if (time_.now() >= deadline) throw probes::no_startup_answer();
  admit();
  co_return session;
}

Answer SimulatedServer::answer(const std::string& sql) {
  if (sql == postgres::kAreYouThere) return Rows({"here"}, {"1"});
  asked.push_back(sql);
  for (const auto& [text, rows] : answers) {
    if (sql.find(text) != std::string::npos) return rows;
  }
  if (sql.find("pg_postmaster_start_time") == std::string::npos) return Rows();
  return Rows({"start_time", "server_clock", "checkpointer_start", "keepalives_idle",
               "keepalives_interval"},
              {std::to_string(start_time_), std::to_string(unix_now()),
               std::to_string(checkpointer_start_), "7200", "75"});
}

void SimulatedServer::forget_all() {
  for (SimulatedConnection* connection : open_) connection->forget();
}

void SimulatedServer::pause(Span duration) { paused_until_ = time_.now() + duration; }

void SimulatedServer::terminate(std::size_t index) {
  open_.at(index)->end(
      probes::fatal("57P01", "terminating connection due to administrator command"));
}

void SimulatedServer::end_all(const PgError& how) {
  const std::vector<SimulatedConnection*> all = open_;
  for (SimulatedConnection* connection : all) connection->end(how);
}

void SimulatedServer::restart(Span down) {
  end_all(probes::fatal("57P01", "terminating connection due to administrator command"));
  outage_ = Outage{time_.now() + down, true, probes::refused()};
}

void SimulatedServer::crash(std::size_t victim, Span down) {
  SimulatedConnection* const first = open_.at(victim);
  end_all(
      probes::warned("57P02", "terminating connection because of crash of another server process"));
  first->end(probes::closed());
  outage_ = Outage{time_.now() + down, false,
                   probes::not_accepting("the database system is in recovery mode")};
}

// Throws if nobody is let in now.
void SimulatedServer::admit() {
  if (outage_ && time_.now() >= outage_->until) {
    const double ago = std::chrono::duration<double>(time_.now() - outage_->until).count();
    if (outage_->new_postmaster) start_time_ = unix_now() - ago;
    checkpointer_start_ = unix_now() - ago + 0.1;
    outage_.reset();
  }
  if (outage_) throw PgError(outage_->answer);
  if (refusal) throw PgError(*refusal);
}

void SimulatedServer::replace_by(double age) {
  start_time_ = unix_now() - age;
  checkpointer_start_ = start_time_ + 0.1;
}

int SimulatedServer::sessions_for(const std::string& purpose) const {
  return static_cast<int>(std::count_if(open_.begin(), open_.end(), [&](const auto* connection) {
    return connection->purpose() == purpose;
  }));
}

}  // namespace pgconn::test
