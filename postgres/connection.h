// An asynchronous connection to one server on an Asio event loop. All calls from the I/O thread;
// one coroutine at a time waits on a connection. Every wait has a deadline. Nothing here blocks.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "postgres/conninfo.h"
#include "postgres/endpoint_error.h"
#include "postgres/error.h"
#include "postgres/peer.h"
#include "postgres/resolver.h"
#include "postgres/rows.h"

namespace pgconn::postgres {

// How long each phase of connecting took. A phase that did not happen is absent (no TLS, no name).
struct ConnectTimings {
  using Duration = std::chrono::steady_clock::duration;
  std::optional<Duration> resolve, tcp, tls, startup;
  Duration total{};
};

// What it has SET is left out when a pooler is in between: whose session that is, and who gets it
// next, the pooler alone knows.
struct ConnectOptions {
  std::string purpose;  // becomes application_name=pgconn_exporter/<purpose>
  // Server-side limits, SET once connected. They are SET and not sent as startup `options`, so that
  // pg_settings.reset_val of this session still shows the server's own values. 0 leaves them alone.
  std::chrono::milliseconds statement_timeout{0};
  std::chrono::milliseconds lock_timeout{0};
  // Keeps the server's idle_session_timeout (14+) from ending a session that is held on purpose.
  bool outlive_idle_session_timeout = false;
  // Of one target: how many of its logins go on computing although they were given up. While one
  // does, no other is begun. Absent: nobody counts.
  std::shared_ptr<std::atomic<int>> given_up = {};
  // Where to leave what endpoints of several answered that did not take us, also if a later one
  // did; must outlive the call. Null: nobody wants to know.
  std::vector<EndpointError>* turned_away = nullptr;
  // TCP keepalives of our socket. Off for a connection that is to find out how long silence lives.
  bool keepalives = true;
  // Unless it takes a setup, nothing is SET. Its name must live as long as the process.
  Peer peer = {};
};

struct Query {
  std::string sql;
  // Not empty: prepared under this name once on each connection that is known to go to the server
  // itself, and executed from then on.
  std::string name;
};

// Rows, or the ERROR that this query alone got.
using Answer = std::variant<Rows, PgError>;

// The application_name prefix of every session this program opens.
inline constexpr std::string_view kApplicationPrefix = "pgconn_exporter/";

// An interface, so that what holds connections can be tested without a server.
class Connection {
 public:
  // Resolves, connects, authenticates. Throws PgError with the phase it failed in; the half-open
  // connection is closed by then. `resolver` must outlive the call.
  static asio::awaitable<std::unique_ptr<Connection>> connect(asio::any_io_executor executor,
                                                              Resolver& resolver,
                                                              const ConnInfo& conninfo,
                                                              const ConnectOptions& options,
                                                              Deadline deadline);
  Connection() = default;
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends all queries in one libpq pipeline with a sync after each, so that one that fails fails
  // alone, and stores each answer as it arrives: `answers` then holds one entry for each query
  // answered so far, in order, even when this throws. Throws a fatal PgError when the connection is
  // lost, at the deadline (the connection is closed then) or after close(). `arrivals`, if given,
  // gets the time each answer was complete. The first call also applies ConnectOptions; a
  // connection that is only watched needs one call without queries for that.
  virtual asio::awaitable<void> pipeline(std::span<const Query> queries, Deadline deadline,
                                         std::vector<Answer>& answers,
                                         std::vector<Deadline>* arrivals) = 0;
  asio::awaitable<void> pipeline(std::span<const Query> queries, Deadline deadline,
                                 std::vector<Answer>& answers) {
    return pipeline(queries, deadline, answers, nullptr);
  }

  // The same in the protocol of ConnectOptions::peer. In the simple one each query is sent when the
  // one before it is answered, and nothing is prepared. A stand-in knows the pipeline alone.
  virtual asio::awaitable<void> ask(std::span<const Query> queries, Deadline deadline,
                                    std::vector<Answer>& answers, std::vector<Deadline>* arrivals) {
    return pipeline(queries, deadline, answers, arrivals);
  }
  asio::awaitable<void> ask(std::span<const Query> queries, Deadline deadline,
                            std::vector<Answer>& answers) {
    return ask(queries, deadline, answers, nullptr);
  }

  // Waits on an idle connection until it is lost, and says how; nullopt at the deadline. A FATAL
  // comes with its SQLSTATE. Notices that do not end the session are ignored.
  virtual asio::awaitable<std::optional<PgError>> watch(Deadline deadline) = 0;
  // Ends a watch() under way as its deadline would, so that its caller may ask at once.
  virtual void interrupt() = 0;

  // What the server warned of at the login: that our password soon expires, say. Each as "message:
  // detail", in the server's language; the first few.
  virtual const std::vector<std::string>& login_warnings() const = 0;

  // Closes at once. A coroutine waiting on this connection gets PgError(kStopped).
  virtual void close() noexcept = 0;
  virtual bool is_open() const = 0;

  virtual const ConnectTimings& timings() const = 0;
  virtual int server_version() const = 0;  // as PQserverVersion: 150018 is 15.18
  virtual int backend_pid() const = 0;
  // Whether the session that answers is the one that was logged in to; else a pooler is in between.
  // nullopt before the first answer.
  virtual std::optional<bool> is_direct() const = 0;
  // After a pipeline() without an answer: whether the peer's kernel took what was asked; nullopt if
  // that is not known, as on a Unix socket.
  virtual std::optional<bool> was_acknowledged() const = 0;
  // The longest silence that our keepalives leave on the path while nothing is said; nullopt if
  // none are sent: they are off, or it is a Unix socket.
  virtual std::optional<std::chrono::seconds> keepalive_gap() const = 0;
  virtual std::string host() const = 0;      // the one connected to
  virtual std::string endpoint() const = 0;  // as EndpointError has it
  virtual std::string port() const = 0;
};

}  // namespace pgconn::postgres
