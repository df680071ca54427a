// A PGconn and its socket on the event loop: waiting with a deadline, closing, and the server's
// last message. Internal to postgres/: the public interface is connection.h. I/O thread only.
#pragma once

#include <libpq-fe.h>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.h"
#include "postgres/login_threads.h"

namespace pgconn::postgres {

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

// What libpq says, or nothing.
inline std::string_view text_of(const char* text) { return text != nullptr ? text : ""; }
std::string field(const PGresult* result, int code);  // of an error or a notice; empty if absent
std::string sqlstate_of(const PGresult* result);      // also empty if it is not a valid one
// FATAL, ERROR, WARNING, …, in English. A pooler sends it in one language only.
std::string severity(const PGresult* result);

// What the server sends without being asked. Outlives the wire if a step of libpq's does.
struct Inbox {
  std::optional<PgError> farewell;
  std::vector<std::string> login_warnings;  // see Connection::login_warnings()
  bool logged_in = false;
  // Keeps a FATAL, or a warning that announces the end, for Wire::lost(), and warnings at login.
  void remember(const PGresult* notice);
};

class Wire : public std::enable_shared_from_this<Wire> {
 public:
  using WaitType = asio::posix::descriptor_base::wait_type;
  static constexpr auto kRead = asio::posix::descriptor_base::wait_read;
  static constexpr auto kWrite = asio::posix::descriptor_base::wait_write;

  explicit Wire(asio::any_io_executor executor) : socket_(executor), timer_(executor) {}
  ~Wire() { close(); }

  // Starts connecting; the connection may be bad already (see bad()). Only the first `dbname`,
  // which is our own, is read as a connection string.
  void start(const std::vector<std::pair<std::string, std::string>>& parameters);
  // libpq's next step, once the socket is ready. A step that may compute for a long time runs on a
  // thread of its own. Nothing if it was not done by the deadline. Throws kStopped if cancelled.
  asio::awaitable<std::optional<PostgresPollingStatusType>> poll(GivenUp given_up,
                                                                 Deadline deadline);
  // Once connected: the socket is ours to watch until close().
  void established();

  // True when the socket is ready, false at the deadline. Throws kStopped if closed meanwhile.
  asio::awaitable<bool> wait(WaitType what, Deadline deadline);
  // The same while connecting, when libpq may replace its socket between two waits.
  asio::awaitable<bool> wait_once(WaitType what, Deadline deadline);

  // Reads what has arrived. False if the connection is lost. Unasked-for data is dropped.
  bool consume();

  // Limits what a peer may send without being asked, over the whole life of a connection: libpq
  // keeps some of it (parameters, notices) that long. Callers say how many bytes answers explain.
  void explain(std::uint64_t bytes) { explained_ += bytes; }
  // Throws PgError(kProtocol) if more has come than that.
  void check_received(Phase phase) const;

  // Ends a wait as its deadline would.
  void end_wait();
  void close() noexcept;
  bool closed() const { return connection_ == nullptr; }
  bool bad() const { return PQstatus(connection_) == CONNECTION_BAD; }
  PGconn* raw() const { return connection_; }
  std::string message() const;
  const std::vector<std::string>& login_warnings() const { return inbox_->login_warnings; }

  // How the connection was lost: the server's last message if it sent one, else libpq's.
  PgError lost(Phase phase) const;
  ConnectTimings timings;
  std::string setup_sql;           // sent before the first queries
  std::optional<bool> direct;      // no pooler in between; not known before the setup was answered
  std::set<std::string> prepared;  // names of statements this session has
  std::optional<bool> acknowledged;  // the last query without an answer, by the peer's kernel
  bool given_up = false;             // while it computed: it counts as closed
  bool watching = false;             // a coroutine waits in watch(),
  bool interrupted = false;          // and should stop

 private:
  void attach();
  void note_failure(int error);

  PGconn* connection_ = nullptr;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  bool reset_ = false;      // seen before libpq read it
  std::uint64_t turn_ = 0;  // tells a timer that fires late that its wait is over
  std::uint64_t explained_ = std::uint64_t{1024} * 1024;  // a login and some notices
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::string system_error_;  // why libpq failed while connecting, in case it does not say
};

}  // namespace pgconn::postgres
