#include "probes/longquery.h"

#include <algorithm>
#include <utility>

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Reason;

constexpr ProbeKind kProbe = ProbeKind::kLongquery;

postgres::ConnectOptions options_of(const LongquerySettings& settings) {
  postgres::ConnectOptions options;
  options.purpose = to_string(kProbe);
  options.keepalives = false;  // the probe is to learn what the path does to silence
  // A timeout that is set for the server or the role must not end it.
  options.statement_timeout = settings.sleep + settings.pace.timeout;
  return options;
}

// Counts one more held query for as long as this lives.
class Held {
 public:
  explicit Held(int& count) : count_(++count) {}
  ~Held() { --count_; }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  int& count_;
};

// Runs the queries on a session that is held meanwhile; returns the answer to the last.
asio::awaitable<postgres::Answer> run_held(ProbeContext& context, postgres::Connection& connection,
                                           const std::vector<postgres::Query>& queries,
                                           Clock::time_point deadline) {
  const Held held(context.long_queries);
  std::vector<postgres::Answer> answers;
  co_await connection.pipeline(queries, deadline, answers);
  if (answers.empty()) co_return postgres::Answer(postgres::Rows());
  co_return std::move(answers.back());
}

}  // namespace

std::string silent_statement(std::chrono::milliseconds duration) {
  return "DO $$ DECLARE until timestamptz := clock_timestamp() + interval '" +
         std::to_string(duration.count()) +
         " ms'; BEGIN WHILE clock_timestamp() < until LOOP "
         "PERFORM pg_sleep_until(least(until, clock_timestamp() + interval '1 s')); "
         "COMMIT; END LOOP; END $$";
}

// Not a HeldSession: while it is busy it cannot be asked whether it is still there.
asio::awaitable<std::vector<PhaseTime>> attempt_longquery(ProbeContext& context,
                                                          LongquerySettings settings) {
  const Clock::duration patience = settings.pace.timeout;
  const Clock::time_point dialed = context.time.now();
  const postgres::Session session =
      co_await context.connector.dial(options_of(settings), context.time.now() + patience);
  std::vector<postgres::Query> queries;
  if (session.connection->server_version() >= 140000) {
    // Without it a busy backend would not notice until the end that we are gone.
    // Not in a session that a pooler shares with others.
    queries.push_back(
        {"SELECT set_config('client_connection_check_interval', '1s', false) WHERE "
         "pg_backend_pid() = " +
             std::to_string(session.connection->backend_pid()),
         ""});
  }
  queries.push_back({silent_statement(settings.sleep), ""});
  const std::string endpoint = session.connection->endpoint();
  const Clock::time_point sent = context.time.now();
  // After statement_timeout: a slow server reports that, and only a dead path stays silent.
  const Clock::time_point deadline = sent + settings.sleep + 2 * patience;
  postgres::Answer answer;
  try {
    answer = co_await run_held(context, *session.connection, queries, deadline);
  } catch (const PgError& error) {
    if (error.reason() != Reason::kStopped) {
      // The answer ends the silence, whether it arrives or not.
      const Clock::time_point now = context.time.now();
      context.lost({.probe = kProbe,
                    .error = error,
                    .at = now,
                    .silent_for = std::min<Clock::duration>(now - sent, settings.sleep),
                    .in_transaction = true,
                    .endpoint = endpoint,
                    .dialed = dialed,
                    .acknowledged = session.connection->was_acknowledged()});
    }
    throw;
  }
  if (const auto* error = std::get_if<PgError>(&answer)) throw *error;
  std::vector<PhaseTime> phases;
  phases.push_back({"query", context.time.now() - sent});
  co_return phases;
}

}  // namespace pgconn::probes
