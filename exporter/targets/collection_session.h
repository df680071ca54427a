// The session a target collects with: connected on demand, kept across collections, and queried as
// its kind of target requires. I/O thread only; one collection at a time.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/time_source.h"
#include "collectors/kept_answers.h"
#include "collectors/kind.h"
#include "config/config.h"
#include "exporter/targets/collection.h"
#include "postgres/backoff.h"
#include "postgres/connector.h"
#include "sources/host/postmaster.h"

namespace pgconn::exporter {

// What is asked, and within which limits. All must outlive the session.
struct SessionSettings {
  const collectors::TargetKind& kind;
  const collectors::Options& options;
  const config::Global& limits;
};

// Called with what happens to a session. Each may be empty.
struct SessionListeners {
  // Every failure, of the session or of a single query.
  std::function<void(const postgres::PgError&)> failed;
  // A session that was held between two collections is gone; a new one is tried.
  std::function<void(const postgres::PgError&)> lost;
  // After a reload of the server; an error: the held session stays.
  std::function<void(const postgres::PgError*)> renewed;
  // A new session, with the server's warnings at login.
  std::function<void(const std::vector<std::string>&)> logged_in;
};

class CollectionSession {
 public:
  // Both must outlive the session.
  CollectionSession(postgres::Connector& connector, async::TimeSource& time,
                    SessionSettings settings, SessionListeners listeners);

  // Queries everything that these collectors read. Never throws: `collected` has what has arrived,
  // and in its `error` why that is not everything: no connection, the deadline (which closes the
  // session), a loss; kStopped after stop().
  asio::awaitable<void> collect(const std::set<std::string>& collectors,
                                postgres::Deadline deadline, Collected& collected);
  // Adds what has arrived by now to the readings and facts, for a scrape that cannot wait for the
  // end of the collection under way.
  void take_arrived(Collected& collected);

  // Closes for good; a collection under way ends at once.
  void stop();

  bool is_open() const { return static_cast<bool>(session_); }
  std::string host() const { return session_.connection->host(); }  // only while it is open
  std::string port() const { return session_.connection->port(); }
  // Claims by which the server may be found on this machine; nothing unless the session is open and
  // leads to the server itself. `facts` as that session read them.
  std::optional<host::ServerClaims> claims(const collectors::ServerFacts& facts) const;

 private:
  asio::awaitable<void> ask_again_if_lost(const std::set<std::string>& collectors,
                                          postgres::Deadline deadline, Collected& collected);
  asio::awaitable<void> connect(postgres::Deadline deadline);
  asio::awaitable<postgres::Session> dial(postgres::Deadline deadline);
  void take(postgres::Session session);
  asio::awaitable<void> renew(postgres::Deadline deadline);
  asio::awaitable<void> ask_all(const std::set<std::string>& collectors,
                                postgres::Deadline deadline, Collected& collected);
  asio::awaitable<void> ask(const std::vector<const collectors::Reading*>& readings,
                            postgres::Deadline deadline, Collected& collected);
  [[noreturn]] void give_up(const collectors::Readings& readings);
  void note_facts(Collected& collected) const;

  postgres::Connector& connector_;
  async::TimeSource& time_;
  SessionSettings settings_;
  SessionListeners listeners_;
  postgres::Session session_;
  collectors::KeptAnswers kept_;  // of this session
  std::chrono::system_clock::time_point opened_;
  double config_load_time_ = 0;  // as this session saw it first; 0: not yet
  bool outdated_ = false;        // the server has reloaded its configuration since
  postgres::Backoff backoff_;
  postgres::Backoff renewal_backoff_;
  std::optional<postgres::PgError> refused_;  // why the last attempt to connect failed
  bool stopped_ = false;
  asio::cancellation_signal stop_connecting_;
};

}  // namespace pgconn::exporter
