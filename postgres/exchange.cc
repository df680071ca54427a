// Asking in every protocol: bounds, deadlines and the words of a server that goes.
#include "postgres/exchange.h"

#include <algorithm>

#include "postgres/tcp_facts.h"

namespace pgconn::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// What all answers of one call may be, on the wire and in cells. A broken or hostile peer need not
// stop before the deadline. A NULL is 4 bytes on the wire, 16 in libpq, which keeps every row, and
// 40 in ours: so the first bound keeps libpq below 80 MiB or so, the second us below 40 and a copy.
constexpr std::uint64_t kMaxBytes = std::uint64_t{16} * 1024 * 1024;
constexpr std::uint64_t kMaxCells = 1'000'000;
// Heads of messages, an error, a warning or two.
constexpr std::uint64_t kForEachQuery = 8192;

std::uint64_t cells_of(const PGresult* result) {
  return static_cast<std::uint64_t>(PQnfields(result)) *
         static_cast<std::uint64_t>(PQntuples(result));
}

Rows rows_of(const PGresult* result) {
  const int columns = PQnfields(result);
  const int count = PQntuples(result);
  std::vector<std::string> names;
  for (int c = 0; c < columns; ++c) names.emplace_back(PQfname(result, c));
  std::vector<Cell> cells;
  cells.reserve(cells_of(result));
  for (int r = 0; r < count; ++r) {
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(result, r, c) != 0) {
        cells.emplace_back();
      } else {
        const auto length = static_cast<std::size_t>(PQgetlength(result, r, c));
        cells.emplace_back(std::in_place, PQgetvalue(result, r, c), length);
      }
    }
  }
  return Rows(std::move(names), std::move(cells));
}

bool is_fatal(const PGresult* result) {
  const std::string level = severity(result);
  return level == "FATAL" || level == "PANIC";
}

PgError query_error(const PGresult* result) {
  std::string sqlstate = sqlstate_of(result);
  const Reason reason = reason_of_sqlstate(sqlstate, false);
  const std::string text =
      severity(result) + ": " + one_line(field(result, PG_DIAG_MESSAGE_PRIMARY));
  return PgError(Phase::kQuery, reason, std::move(sqlstate), text, is_fatal(result));
}

// An error without SQLSTATE was made by libpq: the connection broke under the query.
bool ends_connection(const PGresult* result) {
  return PQresultStatus(result) == PGRES_FATAL_ERROR &&
         (is_fatal(result) || sqlstate_of(result).empty());
}

PgError too_much() {
  return PgError(Phase::kQuery, Reason::kProtocol, "",
                 "the server sent more than 16 MiB or a million cells of answers", true);
}

PgError timed_out() {
  return PgError(Phase::kQuery, Reason::kTimeout, "", "no answer to a query in time", true);
}

}  // namespace

Exchange::Exchange(Wire& wire, std::span<const Query> queries, Deadline deadline,
                   std::vector<Answer>& answers, std::vector<Deadline>* arrivals)
    : wire_(wire),
      queries_(queries),
      deadline_(deadline),
      answers_(answers),
      arrivals_(arrivals),
      received_before_(received_bytes(PQsocket(wire.raw()))),
      setup_pending_(!wire.setup_sql.empty()),
      by_name_(wire.direct == true && wire.protocol == Protocol::kPipeline) {}

asio::awaitable<void> Exchange::flush() {
  for (;;) {
    const int pending = PQflush(wire_.raw());
    if (pending < 0) throw_lost();
    if (pending == 0) co_return;
    // libpq reads when it cannot write, so that two full buffers do not wait for each other; a
    // short step lets it do so.
    const Deadline step = std::min(deadline_, Clock::now() + std::chrono::milliseconds(50));
    const bool ready = co_await wire_.wait(Wire::kWrite, step);
    if (!ready && Clock::now() >= deadline_) throw timed_out();
  }
}

// Awaits into a variable: g++ 12 lays out the frame of a coroutine that awaits in a condition and
// has no variables of its own where nobody finds it.
asio::awaitable<ResultPtr> Exchange::next_result() {
  while (PQisBusy(wire_.raw()) != 0) {
    const bool ready = co_await wire_.wait(Wire::kRead, deadline_);
    if (!ready) throw timed_out();
    if (!wire_.consume()) throw_lost();
    const std::uint64_t received = received_bytes(PQsocket(wire_.raw()));
    if (received > received_before_ + kMaxBytes) throw too_much();
  }
  co_return ResultPtr(PQgetResult(wire_.raw()));
}

void Exchange::take(const PGresult* result) {
  if (ends_connection(result)) {
    if (is_fatal(result)) throw query_error(result);
    throw wire_.lost(Phase::kQuery);
  }
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
      cells_ += cells_of(result);
      explain(result);
      if (cells_ > kMaxCells) throw too_much();
      if (!current_) current_ = rows_of(result);
      break;
    case PGRES_COMMAND_OK:  // of the Prepare: the statement exists, whatever becomes of its run
      if (!setup_pending_ && by_name_) wire_.prepared.insert(queries_[answers_.size()].name);
      break;
    case PGRES_FATAL_ERROR:
      if (!current_) current_ = query_error(result);
      break;
    case PGRES_PIPELINE_SYNC:
      finish_query();
      break;
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_ABORTED:  // skipped after an error
      break;
    default:  // of COPY, which libpq would hand out without end
      throw unasked();
  }
}

// On the wire a cell has a length, a row and a column a head; TLS adds its own.
void Exchange::explain(const PGresult* result) {
  std::uint64_t bytes = static_cast<std::uint64_t>(PQnfields(result)) * 96 +
                        static_cast<std::uint64_t>(PQntuples(result)) * 8 + cells_of(result) * 4;
  for (int r = 0; r < PQntuples(result); ++r) {
    for (int c = 0; c < PQnfields(result); ++c) {
      bytes += static_cast<std::uint64_t>(PQgetlength(result, r, c));
    }
  }
  explained_ += bytes + bytes / 4;
}

void Exchange::finish_query() {
  explained_ += kForEachQuery;
  Answer answer = current_ ? std::move(*current_) : Answer(Rows());
  current_.reset();
  if (!setup_pending_) {
    answers_.push_back(std::move(answer));
    if (arrivals_ != nullptr) arrivals_->push_back(Clock::now());
    return;
  }
  setup_pending_ = false;  // a setting that the server refuses is no reason not to ask
  wire_.setup_sql.clear();
  if (const auto* rows = std::get_if<Rows>(&answer)) wire_.direct = !rows->empty();
}

void Exchange::finish() {
  wire_.explain(explained_);
  wire_.check_received(Phase::kQuery);
}

// What the server said before it closed, its reason above all, has been read by then but may not
// have been parsed.
void Exchange::throw_lost() {
  for (int empty = 0; empty <= 2 && PQisBusy(wire_.raw()) == 0;) {
    const ResultPtr result(PQgetResult(wire_.raw()));
    empty = result ? 0 : empty + 1;
    if (result) take(result.get());
  }
  throw wire_.lost(Phase::kQuery);
}

PgError Exchange::unasked() {
  return PgError(Phase::kQuery, Reason::kProtocol, "", "the server sent what was not asked for",
                 true);
}

}  // namespace pgconn::postgres
