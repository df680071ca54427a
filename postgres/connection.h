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
#include <utility>
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

// What it would SET is left out when a pooler is in between: only the pooler knows whose session
// that is and who gets it next.
struct ConnectOptions {
  std::string purpose;  // becomes application_name=pgconn_exporter/<purpose>
  // Server-side limits, SET once connected. They are SET and not sent as startup `options`, so that
  // pg_settings.reset_val of this session still shows the server's own values. 0 leaves them alone.
  std::chrono::milliseconds statement_timeout{0};
  std::chrono::milliseconds lock_timeout{0};
  // Keeps the server's idle_session_timeout (14+) from ending a session that is held on purpose.
  bool outlive_idle_session_timeout = false;
  // Of one target: how many of its logins go on computing although they were given up. While one
  // does, no other is begun. Absent: not counted.
  std::shared_ptr<std::atomic<int>> given_up = {};
  // Where to store the answers of those endpoints of several that turned us away, even if a later
  // one accepted; must outlive the call. Null: they are not needed.
  std::vector<EndpointError>* turned_away = nullptr;
  // TCP keepalives of our socket. Off for a connection that measures how long it may stay idle.
  bool keepalives = true;
  // Unless it takes a setup, nothing is SET. Its name must live as long as the process.
  Peer peer = {};
};

struct Query {
  std::string sql;
  // If not empty: prepared under this name once on each connection that is known to go to the
  // server itself, and executed from then on.
  std::string name;
};

// Rows, or the ERROR of this one query.
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

  // Sends all queries in one libpq pipeline with a sync after each, so that a failing one does not
  // affect the others, and stores each answer as it arrives: `answers` holds one entry for each
  // query answered so far, in order, even when this throws. Throws a fatal PgError when the
  // connection is lost, at the deadline (the connection is closed then) or after close().
  // `arrivals`, if given, gets the time each answer was complete. The first call also applies
  // ConnectOptions; a connection that is only watched needs one call without queries for that.
  virtual asio::awaitable<void> pipeline(std::span<const Query> queries, Deadline deadline,
                                         std::vector<Answer>& answers,
                                         std::vector<Deadline>* arrivals) = 0;
  asio::awaitable<void> pipeline(std::span<const Query> queries, Deadline deadline,
                                 std::vector<Answer>& answers) {
    return pipeline(queries, deadline, answers, nullptr);
  }

  // The same in the protocol of ConnectOptions::peer. In the simple one each query is sent when the
  // one before it is answered, and nothing is prepared.
  virtual asio::awaitable<void> ask(std::span<const Query> queries, Deadline deadline,
                                    std::vector<Answer>& answers,
                                    std::vector<Deadline>* arrivals) = 0;
  asio::awaitable<void> ask(std::span<const Query> queries, Deadline deadline,
                            std::vector<Answer>& answers) {
    return ask(queries, deadline, answers, nullptr);
  }

  // Waits on an idle connection until it is lost, and says how; nullopt at the deadline. A FATAL
  // comes with its SQLSTATE. Notices that do not end the session are ignored.
  virtual asio::awaitable<std::optional<PgError>> watch(Deadline deadline) = 0;
  // Ends a watch() under way as its deadline would, so that its caller can send a query at once.
  virtual void interrupt() = 0;

  // The server's warnings at login, for example that our password expires soon. Each as "message:
  // detail", in the server's language; the first few.
  virtual const std::vector<std::string>& login_warnings() const = 0;

  // Closes at once. A coroutine waiting on this connection gets PgError(kStopped).
  virtual void close() noexcept = 0;
  virtual bool is_open() const = 0;

  virtual const ConnectTimings& timings() const = 0;
  virtual int server_version() const = 0;  // as PQserverVersion: 150018 is 15.18
  virtual int backend_pid() const = 0;
  // Whether the session that answers is the one that we logged in to; if not, a pooler is in
  // between. nullopt before the first answer.
  virtual std::optional<bool> is_direct() const = 0;
  // After a pipeline() without an answer: whether the peer's kernel acknowledged the query; nullopt
  // if that is not known, as on a Unix socket.
  virtual std::optional<bool> was_acknowledged() const = 0;
  // The longest time between our keepalives on the path while nothing else is sent; nullopt if none
  // are sent: they are off, or it is a Unix socket.
  virtual std::optional<std::chrono::seconds> keepalive_gap() const = 0;
  // The socket's own address and its peer's, numeric; both empty on a Unix socket.
  virtual std::pair<std::string, std::string> addresses() const = 0;
  virtual std::string host() const = 0;      // the one connected to
  virtual std::string endpoint() const = 0;  // as EndpointError has it
  virtual std::string port() const = 0;
};

}  // namespace pgconn::postgres
