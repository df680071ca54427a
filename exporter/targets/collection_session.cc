#include "exporter/targets/collection_session.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <system_error>
#include <utility>

#include "collectors/postgres/readings.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "postgres/sqlstate.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

// Below the usual interval of scrapes: a server that is back is seen by the next one.
constexpr auto kFirstWait = std::chrono::milliseconds(500);
constexpr auto kLongestWait = std::chrono::seconds(4);
// What a scrape is likely to meet.
constexpr std::pair<Reason, const char*> kForeseen[] = {{Reason::kResolve, ""},
                                                        {Reason::kRefused, ""},
                                                        {Reason::kTimeout, ""},
                                                        {Reason::kAuthentication, "28P01"},
                                                        {Reason::kTooManyConnections, "53300"},
                                                        {Reason::kStarting, "57P03"},
                                                        {Reason::kTerminated, "57P01"}};
// Between attempts to get a newer session while one is held.
constexpr auto kFirstRenewalWait = std::chrono::seconds(1);
constexpr auto kLongestRenewalWait = std::chrono::minutes(1);

// Nothing if there is no answer, or one that no PostgreSQL gives.
std::optional<collectors::ServerFacts> facts_in(const collectors::Readings& readings,
                                                const collectors::Options& options) {
  try {
    return collectors::facts(readings, options);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

// Every name in the question about the server is the system's own, but for our role's: that one can
// be dropped while a session of it lives. In any language.
bool is_without_role(const collectors::Reading& reading, const PgError& error) {
  return &reading == &collectors::server_reading() && error.sqlstate() == "42704" &&
         std::string_view(error.what()).find("pg_") == std::string_view::npos;
}

PgError role_dropped(const PgError& error) {
  return PgError(error.phase(), Reason::kRoleMissing, error.sqlstate(),
                 "our role was dropped: " + std::string(error.what()), true);
}

PgError stopped() {
  return PgError(Phase::kConfig, Reason::kStopped, "", "the exporter stops", true);
}

}  // namespace

CollectionSession::CollectionSession(postgres::Dialer& dialer, const config::Target& config,
                                     const collectors::Options& options,
                                     metrics::Instruments& instruments, TargetLog& log)
    : dialer_(dialer),
      config_(config),
      options_(options),
      instruments_(instruments),
      log_(log),
      backoff_(kFirstWait, kLongestWait),
      renewal_backoff_(kFirstRenewalWait, kLongestRenewalWait) {
  // increase() does not see the event that creates a series.
  for (const auto& [reason, sqlstate] : kForeseen) {
    instruments_.count(families::kScrapeErrors, {std::string(to_string(reason)), sqlstate}, 0);
  }
}

void CollectionSession::stop() {
  stopped_ = true;
  stop_connecting_.emit(asio::cancellation_type::terminal);
  if (session_) session_.connection->close();
}

void CollectionSession::count(const PgError& error) {
  instruments_.count(families::kScrapeErrors,
                     {std::string(to_string(error.reason())),
                      std::string(postgres::sqlstate_label(error.sqlstate()))});
}

// A session that was held since the last scrape may have died meanwhile (a restart, a failover):
// that says nothing about the server now, so ask once more on a new one.
asio::awaitable<void> CollectionSession::collect(const std::set<std::string>& collectors,
                                                 postgres::Deadline deadline,
                                                 Collected& collected) {
  const bool held = is_open();
  std::optional<PgError> lost;
  try {
    co_await ask_all(collectors, deadline, collected);
    co_return;
  } catch (const PgError& error) {
    if (!held || is_open() || stopped_ || error.reason() == Reason::kTimeout) throw;
    log_.session_lost(error);
    lost = error;
  }
  collected = Collected{};
  try {
    co_await ask_all(collectors, deadline, collected);
  } catch (const PgError& error) {
    // Whoever has to prove to be a role is not told that there is none.
    const bool told = lost->reason() == Reason::kRoleMissing;
    throw told && error.reason() == Reason::kAuthentication ? *lost : error;
  }
}

asio::awaitable<void> CollectionSession::ask_all(const std::set<std::string>& collectors,
                                                 postgres::Deadline deadline,
                                                 Collected& collected) {
  if (!is_open()) {
    co_await connect(deadline);
  } else if (outdated_) {
    co_await renew(deadline);
  }
  const int version = session_.connection->server_version();
  collected.readings.server_version = version;
  collected.readings.login_warnings = session_.connection->login_warnings();
  collected.plan = plan_collection(collectors, options_, version);
  co_await ask(each_scrape(collected.plan), deadline, collected);
  if (!collected.facts) give_up(collected.readings.readings);
  const double loaded = collected.facts->config_load_time;
  if (config_load_time_ == 0) config_load_time_ = loaded;
  // Behind a pooler each scrape may meet another backend, with a time of its own.
  const bool same_backend = session_.connection->is_direct() == true;
  outdated_ = same_backend && loaded != config_load_time_;
  collected.readings.outdated_session = outdated_;
  // Only with a new session or after a reload: a second round trip.
  const auto missing = kept_.to_ask(collected.plan.readings, *collected.facts);
  if (!missing.empty()) co_await ask(missing, deadline, collected);
  kept_.add_to(collected.plan.readings, collected.readings.readings);
}

asio::awaitable<void> CollectionSession::ask(
    const std::vector<const collectors::Reading*>& readings, postgres::Deadline deadline,
    Collected& collected) {
  const auto queries = queries_for(readings, session_.connection->server_version());
  collected.asking = {};
  Asking& asking = collected.asking;
  asking.readings = readings;
  asking.sent = Clock::now();
  std::optional<PgError> failure;
  try {
    co_await session_.connection->pipeline(queries, deadline, asking.answers, &asking.arrivals);
  } catch (const PgError& error) {
    failure = error;
  }
  take_arrived(collected);
  if (!failure) co_return;
  session_ = {};  // ended, and its place in the budget free
  if (failure->reason() != Reason::kStopped) count(*failure);
  throw *failure;
}

void CollectionSession::take_arrived(Collected& collected) {
  Asking& asking = collected.asking;
  if (asking.taken == asking.answers.size()) return;
  for (std::size_t& i = asking.taken; i < asking.answers.size(); ++i) {
    const collectors::Reading& reading = *asking.readings[i];
    postgres::Answer& answer = asking.answers[i];
    if (auto* error = std::get_if<PgError>(&answer)) {
      if (is_without_role(reading, *error)) *error = role_dropped(*error);
      count(*error);
    }
    kept_.keep(reading, answer);
    collected.readings.readings.put(reading, std::move(answer));
    collected.readings.arrivals[&reading] = asking.arrivals[i] - asking.sent;
  }
  // Anew each time: the later answers hold some of them.
  collected.facts = facts_in(collected.readings.readings, options_);
  if (collected.facts) collected.readings.visibility = collected.facts->visibility;
}

// Who does not know what the server is cannot read what else it said.
void CollectionSession::give_up(const collectors::Readings& readings) {
  try {
    static_cast<void>(readings.rows(collectors::server_reading()));  // throws the error that it got
  } catch (const PgError& error) {
    // A role of the same name is another one: nothing will be right again on this session.
    if (error.reason() == Reason::kRoleMissing) session_ = {};
    throw;
  }
  session_ = {};
  const PgError error(Phase::kQuery, Reason::kProtocol, "",
                      "the answer to a query about the server is not PostgreSQL's", true);
  count(error);
  throw error;
}

// Some settings (log_connections is one) reach only sessions that begin after a reload: the held
// one would tell the old value for ever. It stays if a new one cannot be had, on a full server say;
// that is no failure of the scrape, which goes on with it.
asio::awaitable<void> CollectionSession::renew(postgres::Deadline deadline) {
  const Clock::time_point now = Clock::now();
  if (!renewal_backoff_.may_try(now)) co_return;
  try {
    auto session = co_await dial(now + (deadline - now) / 2);
    take(std::move(session));
    log_.session_renewed(nullptr);
  } catch (const PgError& error) {
    if (stopped_) throw;
    log_.session_renewed(&error);
    renewal_backoff_.failed(Clock::now(), postgres::dice());
  }
}

asio::awaitable<void> CollectionSession::connect(postgres::Deadline deadline) {
  session_ = {};
  if (stopped_) throw stopped();
  if (refused_ && !backoff_.may_try(Clock::now())) throw *refused_;
  try {
    auto session = co_await dial(deadline);
    take(std::move(session));
  } catch (const PgError& error) {
    if (stopped_) throw;
    count(error);
    // An attempt that a scrape had no time for says nothing about the next one, which may have.
    const bool cut_short = error.reason() == Reason::kTimeout && Clock::now() >= deadline;
    if (cut_short) throw;
    backoff_.failed(Clock::now(), postgres::dice());
    refused_ = error;
    throw;
  }
}

asio::awaitable<postgres::Session> CollectionSession::dial(postgres::Deadline deadline) {
  postgres::ConnectOptions options;
  options.purpose = "collect";
  options.statement_timeout = config_.global.statement_timeout;
  options.lock_timeout = config_.global.lock_timeout;
  options.outlive_idle_session_timeout = true;
  const auto until = std::min(deadline, Clock::now() + config_.global.connect_timeout);
  try {
    auto session = co_await asio::co_spawn(
        dialer_.executor(), dialer_.dial(options, until),
        asio::bind_cancellation_slot(stop_connecting_.slot(), asio::use_awaitable));
    co_return session;
  } catch (const std::system_error&) {
    if (!stopped_) throw;
    throw stopped();  // how Asio says that it was cancelled
  } catch (const PgError&) {
    if (stopped_) throw stopped();
    throw;
  }
}

void CollectionSession::take(postgres::Session session) {
  session_ = std::move(session);
  kept_ = {};
  config_load_time_ = 0;
  outdated_ = false;
  backoff_.succeeded();
  renewal_backoff_.succeeded();
  refused_.reset();
  log_.warned_at_login(session_.connection->login_warnings());
  if (stopped_) session_.connection->close();
}

}  // namespace pgconn::exporter
