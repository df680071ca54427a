// Threads for login steps that may compute for a long time: SCRAM with as many iterations as the
// peer likes, a TLS handshake with a large bundle of roots. libpq computes inside PQconnectPoll()
// and cannot be interrupted; on the I/O thread one peer would hold up all targets. Internal to
// postgres/; called on the I/O thread.
#pragma once

#include <libpq-fe.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

namespace pgconn::postgres {

// How many logins of one target go on although they were given up. Shared with their threads.
using GivenUp = std::shared_ptr<std::atomic<int>>;

struct LoginStep {
  enum class Outcome {
    kDone,
    kNotBegun,  // no thread was free until the deadline; the connection is as it was
    kGivenUp,   // it still computes: the connection is no longer the caller's, see below
  };
  Outcome outcome = Outcome::kNotBegun;
  PostgresPollingStatusType status = PGRES_POLLING_FAILED;
  int error = 0;  // errno after it
};

// Runs PQconnectPoll(connection) on a thread of its own and waits for it until `deadline`, or until
// this coroutine is cancelled. Nothing else may touch the connection meanwhile. A step that is
// given up keeps its connection, with `companion` (what its notice receiver needs), and closes it
// if the step ever ends; `given_up` counts it until then. If the coroutine is destroyed while it
// waits, the step is given up too: `disown` is called before anything could close the connection.
asio::awaitable<LoginStep> poll_apart(asio::any_io_executor executor, PGconn* connection,
                                      std::shared_ptr<void> companion, GivenUp given_up,
                                      std::chrono::steady_clock::time_point deadline,
                                      std::function<void()> disown);

}  // namespace pgconn::postgres
