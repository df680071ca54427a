// A session that a probe holds: opened again when lost, with growing waits while that fails or does
// not last, and every loss is reported exactly once. I/O thread only; one coroutine at a time.
#pragma once

#include <algorithm>
#include <asio/awaitable.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "postgres/backoff.h"
#include "postgres/connector.h"
#include "probes/drops/attribution.h"
#include "probes/probe.h"

namespace pgconn::probes {

// How a silence ended.
enum class SilenceEnd {
  kKept,    // it lasted as long as it should
  kWanted,  // an answer is wanted now
  kLost,    // the session was lost, which has been reported
};

class HeldSession {
 public:
  // `context` must outlive it. `longest_wait` limits the time between attempts to connect.
  HeldSession(ProbeContext& context, ProbeKind probe, postgres::ConnectOptions options,
              std::chrono::milliseconds longest_wait);
  ~HeldSession();
  HeldSession(const HeldSession&) = delete;
  HeldSession& operator=(const HeldSession&) = delete;

  // Opens the session if it is not open. Throws PgError if it cannot.
  asio::awaitable<void> open(Clock::time_point deadline);
  bool is_open() const { return static_cast<bool>(session_); }
  Clock::time_point next_try() const {  // to open it
    return std::max(backoff_.next_try(), idleness_backoff_.next_try());
  }

  // Stays silent until `until`, or until an answer is wanted. A loss is reported at once.
  asio::awaitable<SilenceEnd> stay_silent(Clock::time_point until);

  // Makes stay_silent() return, so that its caller asks at once. Does nothing if it is not open.
  void want_answer();
  // An answer was wanted, and has neither arrived nor failed.
  bool owes_answer() const { return owes_answer_; }

  // Sends SELECT 1 and returns how long the answer took. A loss, including an answer that does not
  // come, is reported and thrown.
  asio::awaitable<Clock::duration> ask(Clock::time_point deadline);

  Clock::time_point last_answer() const { return last_answer_; }
  ProbeKind probe() const { return probe_; }

  // If the session was already held at `moment` and has answered since: the longest silence before
  // one of those answers.
  std::optional<Survivor> survived(Clock::time_point moment) const;

 private:
  void report(const postgres::PgError& error, std::optional<Clock::time_point> asked);

  ProbeContext& context_;
  ProbeKind probe_;
  postgres::ConnectOptions options_;
  postgres::Backoff backoff_;
  postgres::Backoff idleness_backoff_;  // for sessions that the server ends for idleness
  postgres::Session session_;
  struct Answered {
    Clock::time_point at;
    Clock::duration silence;  // before it
  };
  std::optional<Clock::duration> keepalive_gap_;  // of this session
  int backend_pid_ = 0;                           // 0: made up by a pooler
  std::string endpoint_;
  Clock::time_point dialed_, opened_, last_answer_;
  std::deque<Answered> answers_;  // the latest of this session
  bool owes_answer_ = false;
};

}  // namespace pgconn::probes
