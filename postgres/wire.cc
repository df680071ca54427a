#include "postgres/wire.h"

#include <asio/cancellation_state.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "postgres/tcp_facts.h"

namespace pgconn::postgres {
namespace {

constexpr std::size_t kMostLoginWarnings =
    4;  // a real server sends two at most, a hostile peer any number

// Called by libpq, which is C: nothing may be thrown through it.
void receive_notice(void* self, const PGresult* notice) noexcept {
  try {
    static_cast<Inbox*>(self)->remember(notice);
  } catch (...) {
    // Out of memory: the loss itself is still seen, only without its message.
  }
}

[[noreturn]] void throw_stopped() {
  throw PgError(Phase::kIdle, Reason::kStopped, "", "closed by the exporter", true);
}

}  // namespace

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

std::string sqlstate_of(const PGresult* result) {
  std::string text = field(result, PG_DIAG_SQLSTATE);
  return is_sqlstate(text) ? text : "";
}

std::string severity(const PGresult* result) {
  const std::string english = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return english.empty() ? field(result, PG_DIAG_SEVERITY) : english;
}

void Wire::start(const std::vector<std::pair<std::string, std::string>>& parameters) {
  // Without a hook OpenSSL asks the terminal for the passphrase of an encrypted key, and waits.
  PQsetSSLKeyPassHook_OpenSSL(PQdefaultSSLKeyPassHook_OpenSSL);
  // An empty value counts only inside a string: passed by itself, libpq treats it as unset, and
  // fills in the value of a service file or the environment.
  std::string emptied = "gssencmode=disable";
  for (const auto& [keyword, value] : parameters) {
    if (value.empty()) emptied += " " + keyword + "=''";
  }
  std::vector<const char*> keywords = {"dbname"};
  std::vector<const char*> values = {emptied.c_str()};
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  errno = 0;
  connection_ = PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1);
  if (connection_ == nullptr) throw std::bad_alloc();
  if (bad()) note_failure(errno);
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);  // gives the SQLSTATE of a refused login
  PQsetNoticeReceiver(connection_, receive_notice, inbox_.get());
}

// SCRAM, and the trusted roots that a handshake reads, come after the peer's first answer.
bool may_compute(const PGconn* connection) {
  const ConnStatusType status = PQstatus(connection);
  return status != CONNECTION_NEEDED && status != CONNECTION_STARTED && status != CONNECTION_MADE;
}

asio::awaitable<std::optional<PostgresPollingStatusType>> Wire::poll(GivenUp given_up_logins,
                                                                     Deadline deadline) {
  const auto self = shared_from_this();
  LoginStep step;
  if (!may_compute(connection_)) {
    errno = 0;
    step.status = PQconnectPoll(connection_);
    step.error = errno;
  } else {
    const auto disown = [self] {
      self->connection_ = nullptr;
      self->given_up = true;
    };
    step = co_await poll_apart(timer_.get_executor(), connection_, inbox_,
                               std::move(given_up_logins), deadline, disown);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw_stopped();
    if (step.outcome != LoginStep::Outcome::kDone) co_return std::nullopt;
  }
  if (step.status == PGRES_POLLING_FAILED) note_failure(step.error);
  co_return step.status;
}

// libpq 17 says nothing when it cannot open a socket, for example for lack of file descriptors.
void Wire::note_failure(int error) {
  if (error != 0) system_error_ = "cannot connect: " + std::generic_category().message(error);
}

std::string Wire::message() const {
  const std::string_view said = PQerrorMessage(connection_);
  return said.empty() ? system_error_ : std::string(said);
}

void Wire::established() {
  inbox_->logged_in = true;
  PQsetnonblocking(connection_, 1);
  attach();
}

void Wire::attach() {
  asio::error_code error;
  socket_.assign(PQsocket(connection_), error);
  if (!error) return;
  throw PgError(Phase::kTcp, Reason::kUnreachable, "",
                "cannot watch the connection's socket: " + error.message(), true);
}

asio::awaitable<bool> Wire::wait(WaitType what, Deadline deadline) {
  if (closed()) throw_stopped();
  // A peer that never stops sending keeps the socket ready: the timer alone would never fire.
  if (std::chrono::steady_clock::now() >= deadline) co_return false;
  const auto self = shared_from_this();
  const std::uint64_t turn = ++turn_;
  timer_.expires_at(deadline);
  timer_.async_wait([self, turn](asio::error_code error) {
    if (!error && self->turn_ == turn && self->socket_.is_open()) self->socket_.cancel();
  });
  asio::error_code error;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
  if (closed()) throw_stopped();
  ++turn_;
  timer_.cancel();
  if (error) {  // the deadline, unless this coroutine is being cancelled
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) throw_stopped();
  }
  co_return !error;
}

asio::awaitable<bool> Wire::wait_once(WaitType what, Deadline deadline) {
  if (closed()) throw_stopped();
  attach();
  const bool ready = co_await wait(what, deadline);
  socket_.release();
  co_return ready;
}

bool Wire::consume() {
  reset_ = reset_ || is_reset(PQsocket(connection_));  // libpq takes the error from the socket
  const bool alive = PQconsumeInput(connection_) != 0;
  // We LISTEN to nothing, yet libpq keeps notifications that a peer sends until they are taken.
  while (PGnotify* notification = PQnotifies(connection_)) PQfreemem(notification);
  return alive;
}

void Wire::check_received(Phase phase) const {
  if (received_bytes(PQsocket(connection_)) <= explained_) return;
  throw PgError(phase, Reason::kProtocol, "",
                "the peer keeps sending data that was not asked for (more than 1 MiB)", true);
}

void Wire::end_wait() {
  if (socket_.is_open()) socket_.cancel();
}

void Wire::close() noexcept {
  if (connection_ == nullptr) return;
  try {
    ++turn_;
    timer_.cancel();
    if (socket_.is_open()) socket_.release();  // ends a wait; libpq owns the descriptor
  } catch (...) {
    // Nothing to do: the descriptor is closed below all the same.
  }
  PQfinish(connection_);
  connection_ = nullptr;
}

void Inbox::remember(const PGresult* notice) {
  const std::string level = severity(notice);
  const std::string sqlstate = sqlstate_of(notice);
  const bool last_words = level == "FATAL" || level == "PANIC";
  // An immediate shutdown and the crash of another backend are announced by a WARNING.
  if (!last_words && !sqlstate.starts_with("57P0")) {
    if (level != "WARNING" || logged_in || login_warnings.size() >= kMostLoginWarnings) return;
    const std::string detail = one_line(field(notice, PG_DIAG_MESSAGE_DETAIL));
    login_warnings.push_back(one_line(field(notice, PG_DIAG_MESSAGE_PRIMARY)) +
                             (detail.empty() ? "" : ": " + detail));
    return;
  }
  farewell.emplace(Phase::kIdle, reason_of_sqlstate(sqlstate, false), sqlstate,
                   level + ": " + one_line(field(notice, PG_DIAG_MESSAGE_PRIMARY)), true);
}

PgError Wire::lost(Phase phase) const {
  const auto& farewell = inbox_->farewell;
  if (!farewell) {
    PgError error = lost_error(message(), phase);
    // libpq has the same words for a reset as for a close.
    if (!reset_ || error.reason() != Reason::kClosed) return error;
    return PgError(phase, Reason::kReset, "", "connection reset by peer", true);
  }
  return PgError(phase, farewell->reason(), farewell->sqlstate(), farewell->what(), true);
}

}  // namespace pgconn::postgres
