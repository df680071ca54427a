#include "probes/held_session.h"

#include <algorithm>

namespace pgconn::probes {
namespace {

constexpr auto kFirstWait = std::chrono::milliseconds(250);
// Answers that can be asked about later: more than a round trip each second gives while an incident
// is looked into.
constexpr std::size_t kRemembered = 32;

}  // namespace

HeldSession::HeldSession(ProbeContext& context, ProbeKind probe, postgres::ConnectOptions options,
                         std::chrono::milliseconds longest_wait)
    : context_(context),
      probe_(probe),
      options_(std::move(options)),
      backoff_(kFirstWait, std::max<Clock::duration>(kFirstWait, longest_wait)) {
  context_.held.push_back(this);
}

HeldSession::~HeldSession() { std::erase(context_.held, this); }

asio::awaitable<void> HeldSession::open(Clock::time_point deadline) {
  if (is_open()) co_return;
  session_ = {};
  try {
    session_ = co_await context_.dialer.dial(options_, deadline);
  } catch (const postgres::PgError&) {
    backoff_.failed(Clock::now(), postgres::dice());
    throw;
  }
  backoff_.succeeded();
  opened_ = last_answer_ = Clock::now();
  answers_.clear();
}

asio::awaitable<bool> HeldSession::stay_silent(Clock::time_point until) {
  const auto lost = co_await session_.connection->watch(until);
  if (!lost) co_return true;
  report(*lost, Clock::now());
  co_return false;
}

asio::awaitable<Clock::duration> HeldSession::ask(Clock::time_point deadline) {
  static const std::vector<postgres::Query> kQuestion = {{"SELECT 1", ""}};
  const Clock::time_point sent = Clock::now();
  std::vector<postgres::Answer> answers;
  try {
    co_await session_.connection->pipeline(kQuestion, deadline, answers);
  } catch (const postgres::PgError& error) {
    if (error.reason() != postgres::Reason::kStopped) report(error, sent);
    throw;
  }
  const Clock::time_point answered = Clock::now();
  answers_.push_back({answered, answered - last_answer_});
  if (answers_.size() > kRemembered) answers_.pop_front();
  last_answer_ = answered;
  if (const auto* error = std::get_if<postgres::PgError>(&answers.front())) throw *error;
  co_return last_answer_ - sent;
}

std::optional<Clock::duration> HeldSession::silence_survived(Clock::time_point moment) const {
  if (!is_open() || opened_ > moment) return std::nullopt;
  std::optional<Clock::duration> longest;
  for (const auto& [at, silence] : answers_) {
    if (at > moment && (!longest || silence > *longest)) longest = silence;
  }
  return longest;
}

void HeldSession::report(const postgres::PgError& error, Clock::time_point silent_until) {
  session_ = {};  // gone before it is told: what is still held is counted without it
  context_.lost(Drop{probe_, error, Clock::now(), silent_until - last_answer_, false});
}

}  // namespace pgconn::probes
