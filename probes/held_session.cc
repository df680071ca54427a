#include "probes/held_session.h"

#include <algorithm>

#include "postgres/answer.h"

namespace pgconn::probes {
namespace {

constexpr auto kFirstWait = std::chrono::milliseconds(250);
// A session that was lost sooner counts like one that could not be opened.
constexpr auto kSettled = std::chrono::seconds(3);
// Wait between sessions that the server's idle_session_timeout ends: however long they live, the
// next one fares no better until somebody changes the setting.
constexpr auto kFirstWaitAfterIdleness = std::chrono::seconds(5);
constexpr auto kLongestWaitAfterIdleness = std::chrono::minutes(1);
// Answers that are remembered: more than one round trip per second yields while an incident is
// investigated.
constexpr std::size_t kRemembered = 32;

// A pooler lets clients in before it has a server for them: the session is not held until the
// server has answered.
asio::awaitable<void> hear_from(postgres::Connection& connection, Clock::time_point deadline) {
  std::vector<postgres::Answer> answers;
  try {
    co_await connection.pipeline({}, deadline, answers);
  } catch (const postgres::PgError& error) {
    if (error.reason() == postgres::Reason::kStopped) throw;
    throw postgres::PgError(postgres::Phase::kStartup, error.reason(), error.sqlstate(),
                            error.what(), true);
  }
}

}  // namespace

HeldSession::HeldSession(ProbeContext& context, ProbeKind probe, postgres::ConnectOptions options,
                         std::chrono::milliseconds longest_wait)
    : context_(context),
      probe_(probe),
      options_(std::move(options)),
      backoff_(kFirstWait, std::max<Clock::duration>(kFirstWait, longest_wait)),
      idleness_backoff_(kFirstWaitAfterIdleness, kLongestWaitAfterIdleness) {
  context_.held.sessions_.push_back(this);
}

HeldSession::~HeldSession() { std::erase(context_.held.sessions_, this); }

asio::awaitable<void> HeldSession::open(Clock::time_point deadline) {
  if (is_open()) co_return;
  session_ = {};
  dialed_ = context_.time.now();
  try {
    postgres::Session session = co_await context_.connector.dial(options_, deadline);
    co_await hear_from(*session.connection, deadline);
    session_ = std::move(session);
  } catch (const postgres::PgError&) {
    backoff_.failed(context_.time.now(), postgres::dice());
    throw;
  }
  keepalive_gap_ = session_.connection->keepalive_gap();
  const bool direct = session_.connection->is_direct().value_or(false);
  backend_pid_ = direct ? session_.connection->backend_pid() : 0;
  endpoint_ = session_.connection->endpoint();
  opened_ = last_answer_ = context_.time.now();
  answers_.clear();
  owes_answer_ = false;
}

asio::awaitable<SilenceEnd> HeldSession::stay_silent(Clock::time_point until) {
  if (owes_answer_) co_return SilenceEnd::kWanted;
  const auto lost = co_await session_.connection->watch(until);
  if (!lost) co_return owes_answer_ ? SilenceEnd::kWanted : SilenceEnd::kKept;
  report(*lost, std::nullopt);
  co_return SilenceEnd::kLost;
}

void HeldSession::want_answer() {
  if (!is_open() || owes_answer_) return;
  owes_answer_ = true;
  session_.connection->interrupt();  // the answer to a query under way will do
}

asio::awaitable<Clock::duration> HeldSession::ask(Clock::time_point deadline) {
  static const std::vector<postgres::Query> kQuestion = {{postgres::kAreYouThere, ""}};
  const Clock::time_point sent = context_.time.now();
  std::vector<postgres::Answer> answers;
  try {
    co_await session_.connection->pipeline(kQuestion, deadline, answers);
  } catch (const postgres::PgError& error) {
    if (error.reason() != postgres::Reason::kStopped) report(error, sent);
    throw;
  }
  owes_answer_ = false;
  const Clock::time_point answered = context_.time.now();
  answers_.push_back({answered, answered - last_answer_});
  if (answers_.size() > kRemembered) answers_.pop_front();
  last_answer_ = answered;
  context_.held.changed().notify();
  postgres::expect_here(answers);
  co_return last_answer_ - sent;
}

std::optional<Survivor> HeldSession::survived(Clock::time_point moment) const {
  if (!is_open() || opened_ > moment) return std::nullopt;
  std::optional<Survivor> survivor;
  for (const auto& [at, silence] : answers_) {
    if (at <= moment) continue;
    if (!survivor) survivor = Survivor{silence, keepalive_gap_, opened_, last_answer_};
    survivor->silent_for = std::max(survivor->silent_for, silence);
  }
  return survivor;
}

void HeldSession::report(const postgres::PgError& error, std::optional<Clock::time_point> asked) {
  const std::optional<bool> acknowledged = session_.connection->was_acknowledged();
  session_ = {};  // closed before the report, which counts the sessions still held
  owes_answer_ = false;
  const Clock::time_point now = context_.time.now();
  const Drop drop{.probe = probe_,
                  .error = error,
                  .at = now,
                  .silent_for = asked.value_or(now) - last_answer_,
                  .opened = opened_,
                  .keepalive_gap = keepalive_gap_,
                  .backend_pid = backend_pid_,
                  .endpoint = endpoint_,
                  .dialed = dialed_,
                  .asked = asked,
                  .acknowledged = acknowledged};
  const bool settled = now - opened_ >= kSettled;
  if (settled) backoff_.succeeded();
  backoff_.failed(now, postgres::dice());
  if (ended_for_idleness(drop)) {
    idleness_backoff_.failed(now, postgres::dice());
  } else if (settled) {
    idleness_backoff_.succeeded();
  }
  context_.lost(drop);
}

}  // namespace pgconn::probes
