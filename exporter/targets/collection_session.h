// The session a target collects with: connected on demand, kept across scrapes, asked in one
// pipeline. I/O thread only; one collection at a time.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/kept_answers.h"
#include "collectors/server_facts.h"
#include "config/config.h"
#include "exporter/targets/collection.h"
#include "exporter/targets/target_log.h"
#include "metrics/instruments.h"
#include "postgres/backoff.h"
#include "postgres/dialer.h"

namespace pgconn::exporter {

// Readings that were sent together. Their answers come in the same order.
struct Asking {
  std::vector<const collectors::Reading*> readings;
  std::chrono::steady_clock::time_point sent;
  std::vector<postgres::Answer> answers;
  std::vector<std::chrono::steady_clock::time_point> arrivals;
  std::size_t taken = 0;  // answers that are among the collected readings
};

// What a collection has learned so far.
struct Collected {
  CollectionPlan plan;
  CollectedReadings readings;
  std::optional<collectors::ServerFacts> facts;  // the server answered
  std::optional<postgres::PgError> error;        // why it did not answer everything
  Asking asking;                                 // the latest
};

class CollectionSession {
 public:
  // All must outlive the session. Failures are counted in `instruments`, losses told to `log`.
  CollectionSession(postgres::Dialer& dialer, const config::Target& config,
                    const collectors::Options& options, metrics::Instruments& instruments,
                    TargetLog& log);

  // Asks everything the collectors read. What has arrived is in `collected`, also when this throws
  // PgError: no connection, the deadline (the session is closed then), a loss.
  asio::awaitable<void> collect(const std::set<std::string>& collectors,
                                postgres::Deadline deadline, Collected& collected);
  // For who cannot wait for the end of a collection under way: adds to its readings and facts what
  // has arrived by now.
  void take_arrived(Collected& collected);

  // Closes for good; a collection under way ends at once.
  void stop();

  bool is_open() const { return static_cast<bool>(session_); }
  std::string host() const { return session_.connection->host(); }  // only while it is open
  std::string port() const { return session_.connection->port(); }

 private:
  asio::awaitable<void> connect(postgres::Deadline deadline);
  asio::awaitable<postgres::Session> dial(postgres::Deadline deadline);
  void take(postgres::Session session);
  asio::awaitable<void> renew(postgres::Deadline deadline);
  asio::awaitable<void> ask_all(const std::set<std::string>& collectors,
                                postgres::Deadline deadline, Collected& collected);
  asio::awaitable<void> ask(const std::vector<const collectors::Reading*>& readings,
                            postgres::Deadline deadline, Collected& collected);
  [[noreturn]] void give_up(const collectors::Readings& readings);
  void count(const postgres::PgError& error);

  postgres::Dialer& dialer_;
  const config::Target& config_;
  const collectors::Options& options_;
  metrics::Instruments& instruments_;
  TargetLog& log_;
  postgres::Session session_;
  collectors::KeptAnswers kept_;  // of this session
  double config_load_time_ = 0;   // as this session saw it first; 0: not yet
  bool outdated_ = false;         // the server has loaded its configuration since
  postgres::Backoff backoff_;
  postgres::Backoff renewal_backoff_;
  std::optional<postgres::PgError> refused_;  // what the last attempt to connect met
  bool stopped_ = false;
  asio::cancellation_signal stop_connecting_;
};

}  // namespace pgconn::exporter
