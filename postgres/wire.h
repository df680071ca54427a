// A PGconn and its socket on the event loop: waiting with a deadline, closing, and the last words
// of the server. Internal to postgres/: the public face is connection.h. I/O thread only.
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
std::string sqlstate_of(const PGresult* result);      // empty too if it is none
// FATAL, ERROR, WARNING, …, in English. A pooler names it in one language only.
std::string severity(const PGresult* result);

// What the server says unasked. Outlives the wire where a step of libpq's does.
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

  // Starts connecting; the connection may be bad already (see bad()). Nothing but the first
  // `dbname`, which is our own, is read as a connection string.
  void start(const std::vector<std::pair<std::string, std::string>>& parameters);
  // libpq's next step of that, once the socket is ready. One that may compute for long runs on a
  // thread of its own. Nothing if it was not done by the deadline. Throws kStopped if cancelled.
  asio::awaitable<std::optional<PostgresPollingStatusType>> poll(GivenUp given_up,
                                                                 Deadline deadline);
  // Once connected: the socket is ours to watch until close().
  void established();

  // True when the socket is ready, false at the deadline. Throws kStopped if closed meanwhile.
  asio::awaitable<bool> wait(WaitType what, Deadline deadline);
  // The same while connecting, when libpq may replace its socket between two waits.
  asio::awaitable<bool> wait_once(WaitType what, Deadline deadline);

  // Takes in what has arrived. False if the connection is lost. What nobody asked for is dropped.
  bool consume();

  // What a peer may send without being asked, over the whole life of a connection: libpq keeps some
  // of it (parameters, notices) for as long. Whoever asks says how many bytes the answers explain.
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

  // How the connection was lost: the server's last words if it sent any, else libpq's.
  PgError lost(Phase phase) const;
  ConnectTimings timings;
  Protocol protocol = Protocol::kPipeline;  // that the peer is asked in
  std::string setup_sql;                    // sent before the first queries
  std::optional<bool> direct;      // no pooler in between; not known before the setup was answered
  std::set<std::string> prepared;  // names of statements this session has
  std::optional<bool>
      acknowledged;          // what was asked last and went unanswered, by the peer's kernel
  bool given_up = false;     // while it computed: it is gone, and closed
  bool watching = false;     // somebody waits in watch(),
  bool interrupted = false;  // and is to stop it

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
  std::string system_error_;  // what libpq failed of while connecting, should it not say so
};

}  // namespace pgconn::postgres
