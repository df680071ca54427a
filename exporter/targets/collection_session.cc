#include "exporter/targets/collection_session.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <charconv>
#include <system_error>
#include <utility>

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

// Below the usual scrape interval, so that the next scrape sees a server that is back.
constexpr auto kFirstWait = std::chrono::milliseconds(500);
constexpr auto kLongestWait = std::chrono::seconds(4);
// Between attempts to get a newer session while one is held.
constexpr auto kFirstRenewalWait = std::chrono::seconds(1);
constexpr auto kLongestRenewalWait = std::chrono::minutes(1);

template <typename Listener, typename... Values>
void tell(const Listener& listener, const Values&... values) {
  if (listener) listener(values...);
}

PgError stopped() {
  return PgError(Phase::kConfig, Reason::kStopped, "", "the exporter stops", true);
}

}  // namespace

CollectionSession::CollectionSession(postgres::Connector& connector, async::TimeSource& time,
                                     SessionSettings settings, SessionListeners listeners)
    : connector_(connector),
      time_(time),
      settings_(settings),
      listeners_(std::move(listeners)),
      backoff_(kFirstWait, kLongestWait),
      renewal_backoff_(kFirstRenewalWait, kLongestRenewalWait) {}

void CollectionSession::stop() {
  stopped_ = true;
  stop_connecting_.emit(asio::cancellation_type::terminal);
  if (session_) session_.connection->close();
}

asio::awaitable<void> CollectionSession::collect(const std::set<std::string>& collectors,
                                                 postgres::Deadline deadline,
                                                 Collected& collected) {
  try {
    co_await ask_again_if_lost(collectors, deadline, collected);
  } catch (const PgError& error) {
    collected.error = error;
  } catch (const std::exception& error) {
    collected.error = PgError(Phase::kQuery, Reason::kProtocol, "", error.what(), false);
  }
}

// A session that was held since the last scrape may have died meanwhile (a restart, a failover):
// that says nothing about the server now, so ask once more on a new session.
asio::awaitable<void> CollectionSession::ask_again_if_lost(const std::set<std::string>& collectors,
                                                           postgres::Deadline deadline,
                                                           Collected& collected) {
  const bool held = is_open();
  std::optional<PgError> lost;
  try {
    co_await ask_all(collectors, deadline, collected);
    co_return;
  } catch (const PgError& error) {
    if (!held || is_open() || stopped_ || error.reason() == Reason::kTimeout) throw;
    tell(listeners_.lost, error);
    lost = error;
  }
  collected = Collected{};
  try {
    co_await ask_all(collectors, deadline, collected);
  } catch (const PgError& error) {
    // A client that must prove its identity is not told that its role does not exist.
    const bool told = lost->reason() == Reason::kRoleMissing;
    throw told && error.reason() == Reason::kAuthentication ? *lost : error;
  }
}

asio::awaitable<void> CollectionSession::ask_all(const std::set<std::string>& collectors,
                                                 postgres::Deadline deadline,
                                                 Collected& collected) {
  if (!is_open()) {
    co_await connect(deadline);
    collected.connected = session_.connection->timings();
  } else if (outdated_) {
    co_await renew(deadline);
  }
  const int version = session_.connection->server_version();
  collected.readings.server_version = version;
  collected.readings.login_warnings = session_.connection->login_warnings();
  collected.plan = plan_collection(settings_.kind, collectors, settings_.options, version);
  co_await ask(each_scrape(collected.plan), deadline, collected);
  if (!collected.facts) give_up(collected.readings.readings);
  const double loaded = collected.facts->config_load_time;
  if (config_load_time_ == 0) config_load_time_ = loaded;
  // Behind a pooler each scrape may get another backend, with its own load time.
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
  asking.sent = time_.now();
  std::optional<PgError> failure;
  try {
    co_await session_.connection->ask(queries, deadline, asking.answers, &asking.arrivals);
  } catch (const PgError& error) {
    failure = error;
  }
  take_arrived(collected);
  if (!failure) co_return;
  session_ = {};  // ends it and frees its place in the budget
  if (failure->reason() != Reason::kStopped) tell(listeners_.failed, *failure);
  throw *failure;
}

void CollectionSession::take_arrived(Collected& collected) {
  Asking& asking = collected.asking;
  if (asking.taken == asking.answers.size()) return;
  for (std::size_t& i = asking.taken; i < asking.answers.size(); ++i) {
    const collectors::Reading& reading = *asking.readings[i];
    postgres::Answer& answer = asking.answers[i];
    if (auto* error = std::get_if<PgError>(&answer)) {
      const auto explained = settings_.kind.explained;
      if (explained != nullptr && &reading == &settings_.kind.server) *error = explained(*error);
      tell(listeners_.failed, *error);
    }
    kept_.keep(reading, answer);
    collected.readings.readings.put(reading, std::move(answer));
    collected.readings.arrivals[&reading] = asking.arrivals[i] - asking.sent;
  }
  note_facts(collected);
}

// Read again each time: later answers contain some of the facts. There are none if the answer is
// not one that a server of this kind gives.
void CollectionSession::note_facts(Collected& collected) const {
  try {
    collected.facts = settings_.kind.facts(collected.readings.readings, settings_.options);
  } catch (const std::exception&) {
    collected.facts.reset();
  }
  if (collected.facts) collected.readings.visibility = collected.facts->visibility;
}

// Without knowing what the server is, none of its other answers can be read.
void CollectionSession::give_up(const collectors::Readings& readings) {
  try {
    static_cast<void>(readings.rows(settings_.kind.server));  // throws the error that it got
  } catch (const PgError& error) {
    // A role of the same name is another one: nothing will be right again on this session.
    if (error.reason() == Reason::kRoleMissing) session_ = {};
    throw;
  }
  session_ = {};
  const PgError error(Phase::kQuery, Reason::kProtocol, "",
                      "the answer to a query about the server is not " +
                          std::string(settings_.kind.peer.product) + "'s",
                      true);
  tell(listeners_.failed, error);
  throw error;
}

// Some settings (log_connections is one) reach only sessions that begin after a reload: the held
// one would show the old value forever. It stays if no new one can be opened, for example on a full
// server; the scrape then goes on with it and does not fail.
asio::awaitable<void> CollectionSession::renew(postgres::Deadline deadline) {
  const Clock::time_point now = time_.now();
  if (!renewal_backoff_.may_try(now)) co_return;
  try {
    auto session = co_await dial(now + (deadline - now) / 2);
    take(std::move(session));
    tell(listeners_.renewed, nullptr);
  } catch (const PgError& error) {
    if (stopped_) throw;
    tell(listeners_.renewed, &error);
    renewal_backoff_.failed(time_.now(), postgres::dice());
  }
}

asio::awaitable<void> CollectionSession::connect(postgres::Deadline deadline) {
  session_ = {};
  if (stopped_) throw stopped();
  if (refused_ && !backoff_.may_try(time_.now())) throw *refused_;
  try {
    auto session = co_await dial(deadline);
    take(std::move(session));
  } catch (const PgError& error) {
    if (stopped_) throw;
    tell(listeners_.failed, error);
    // An attempt that a scrape had no time for says nothing about the next one, which may have
    // more.
    const bool cut_short = error.reason() == Reason::kTimeout && time_.now() >= deadline;
    if (cut_short) throw;
    backoff_.failed(time_.now(), postgres::dice());
    refused_ = error;
    throw;
  }
}

asio::awaitable<postgres::Session> CollectionSession::dial(postgres::Deadline deadline) {
  postgres::ConnectOptions options;
  options.purpose = "collect";
  options.statement_timeout = settings_.limits.statement_timeout;
  options.lock_timeout = settings_.limits.lock_timeout;
  options.outlive_idle_session_timeout = true;
  options.peer = settings_.kind.peer;
  const auto until = std::min(deadline, time_.now() + settings_.limits.connect_timeout);
  try {
    auto session = co_await asio::co_spawn(
        time_.executor(), connector_.dial(options, until),
        asio::bind_cancellation_slot(stop_connecting_.slot(), asio::use_awaitable));
    co_return session;
  } catch (const std::system_error&) {
    if (!stopped_) throw;
    throw stopped();  // Asio's sign that it was cancelled
  } catch (const PgError&) {
    if (stopped_) throw stopped();
    throw;
  }
}

void CollectionSession::take(postgres::Session session) {
  session_ = std::move(session);
  opened_ = time_.date();
  kept_ = {};
  config_load_time_ = 0;
  outdated_ = false;
  backoff_.succeeded();
  renewal_backoff_.succeeded();
  refused_.reset();
  tell(listeners_.logged_in, session_.connection->login_warnings());
  if (stopped_) session_.connection->close();
}

std::optional<host::ServerClaims> CollectionSession::claims(
    const collectors::ServerFacts& facts) const {
  if (!is_open() || session_.connection->is_direct() != true || facts.start_time == 0) {
    return std::nullopt;
  }
  // "address port" as the server sees itself; on a Unix socket there is none.
  const std::string port = facts.address.empty()
                               ? session_.connection->port()
                               : facts.address.substr(facts.address.rfind(' ') + 1);
  host::ServerClaims claims;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), claims.port);
  if (error != std::errc()) return std::nullopt;
  claims.backend_pid = session_.connection->backend_pid();
  // By our clock, which is also the server's if it is on this machine.
  claims.backend_start = Seconds(opened_.time_since_epoch()).count();
  claims.postmaster_start = facts.start_time;
  const auto [own, peer] = session_.connection->addresses();
  claims.peer_is_local = host::is_local_peer(own, peer);
  return claims;
}

}  // namespace pgconn::exporter
