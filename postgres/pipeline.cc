// Sends queries in one libpq pipeline, and watches an idle connection for its end.
#include <algorithm>
#include <cstdint>
#include <set>

#include "postgres/libpq_connection.h"
#include "postgres/tcp_facts.h"
#include "postgres/wire.h"

namespace pgconn::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// Limits on all answers of one call, on the wire and in cells. A broken or hostile peer may go on
// until the deadline. A NULL is 4 bytes on the wire, 16 in libpq, which keeps every row, and
// 40 in ours: so the first bound keeps libpq below 80 MiB or so, the second us below 40 and a copy.
constexpr std::uint64_t kMaxBytes = std::uint64_t{16} * 1024 * 1024;
constexpr std::uint64_t kMaxCells = 1'000'000;
// Message headers, an error, a warning or two.
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

// Queues one query with its sync; libpq only buffers here.
bool queue(PGconn* raw, const Query& query, bool named, bool prepare) {
  const char* name = query.name.c_str();
  if (!named) {
    if (PQsendQueryParams(raw, query.sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
      return false;
    }
  } else {
    if (prepare && PQsendPrepare(raw, name, query.sql.c_str(), 0, nullptr) == 0) return false;
    if (PQsendQueryPrepared(raw, name, 0, nullptr, nullptr, nullptr, 0) == 0) return false;
  }
  return PQpipelineSync(raw) != 0;
}

// An error without SQLSTATE was made by libpq: the connection broke under the query.
bool ends_connection(const PGresult* result) {
  return PQresultStatus(result) == PGRES_FATAL_ERROR &&
         (is_fatal(result) || sqlstate_of(result).empty());
}

// Runs one batch of queries; lives for one call of pipeline().
class PipelineRun {
 public:
  PipelineRun(Wire& wire, std::span<const Query> queries, Deadline deadline,
              std::vector<Answer>& answers, std::vector<Deadline>* arrivals)
      : wire_(wire),
        queries_(queries),
        deadline_(deadline),
        answers_(answers),
        arrivals_(arrivals),
        received_before_(received_bytes(PQsocket(wire.raw()))) {}

  asio::awaitable<void> run() {
    if (queries_.empty() && wire_.setup_sql.empty()) co_return;
    send_all();
    co_await flush();
    int empty = 0;
    while (setup_pending_ || answers_.size() < queries_.size()) {
      const ResultPtr result = co_await next_result();
      // One NULL ends the results of a command; more of them mean that nothing will come any more.
      empty = result ? 0 : empty + 1;
      if (result) {
        take(result.get());
      } else if (empty > 2 || wire_.bad()) {
        throw_lost();
      }
    }
    if (PQexitPipelineMode(wire_.raw()) == 0) throw unasked();
    wire_.explain(explained_);
    wire_.check_received(Phase::kQuery);
  }

 private:
  void send_all() {
    setup_pending_ = !wire_.setup_sql.empty();
    bool sent = PQenterPipelineMode(wire_.raw()) != 0;
    if (setup_pending_) sent = sent && queue(wire_.raw(), {wire_.setup_sql, ""}, false, false);
    by_name_ = wire_.direct == true;
    std::set<std::string_view> preparing;  // a name may occur twice
    for (const Query& query : queries_) {
      const bool named = by_name_ && !query.name.empty();
      const bool prepare =
          named && !wire_.prepared.contains(query.name) && preparing.insert(query.name).second;
      sent = sent && queue(wire_.raw(), query, named, prepare);
    }
    if (!sent) throw_lost();
  }

  asio::awaitable<void> flush() {
    for (;;) {
      const int pending = PQflush(wire_.raw());
      if (pending < 0) throw_lost();
      if (pending == 0) co_return;
      // libpq reads when it cannot write, so that two full buffers do not wait for each other;
      // short steps let it do so.
      const Deadline step = std::min(deadline_, Clock::now() + std::chrono::milliseconds(50));
      const bool ready = co_await wire_.wait(Wire::kWrite, step);
      if (!ready && Clock::now() >= deadline_) throw timed_out();
    }
  }

  // Awaits into a variable: g++ 12 lays out the frame wrongly for a coroutine that awaits in a
  // condition and has no variables of its own.
  asio::awaitable<ResultPtr> next_result() {
    while (PQisBusy(wire_.raw()) != 0) {
      const bool ready = co_await wire_.wait(Wire::kRead, deadline_);
      if (!ready) throw timed_out();
      if (!wire_.consume()) throw_lost();
      const std::uint64_t received = received_bytes(PQsocket(wire_.raw()));
      if (received > received_before_ + kMaxBytes) throw too_much();
    }
    co_return ResultPtr(PQgetResult(wire_.raw()));
  }

  void take(const PGresult* result) {
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
      case PGRES_COMMAND_OK:  // of the Prepare: the statement exists, however its run ends
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
      default:  // of COPY, which libpq would return without end
        throw unasked();
    }
  }

  // On the wire a cell has a length, a row and a column a header; TLS adds its own.
  void explain(const PGresult* result) {
    std::uint64_t bytes = static_cast<std::uint64_t>(PQnfields(result)) * 96 +
                          static_cast<std::uint64_t>(PQntuples(result)) * 8 + cells_of(result) * 4;
    for (int r = 0; r < PQntuples(result); ++r) {
      for (int c = 0; c < PQnfields(result); ++c) {
        bytes += static_cast<std::uint64_t>(PQgetlength(result, r, c));
      }
    }
    explained_ += bytes + bytes / 4;
  }

  void finish_query() {
    explained_ += kForEachQuery;
    Answer answer = current_ ? std::move(*current_) : Answer(Rows());
    current_.reset();
    if (!setup_pending_) {
      answers_.push_back(std::move(answer));
      if (arrivals_ != nullptr) arrivals_->push_back(Clock::now());
      return;
    }
    setup_pending_ = false;  // a setting that the server refuses is no reason not to query
    wire_.setup_sql.clear();
    if (const auto* rows = std::get_if<Rows>(&answer)) wire_.direct = !rows->empty();
  }

  // What the server sent before it closed, above all its reason, has been read by then but may not
  // have been parsed.
  [[noreturn]] void throw_lost() {
    for (int empty = 0; empty <= 2 && PQisBusy(wire_.raw()) == 0;) {
      const ResultPtr result(PQgetResult(wire_.raw()));
      empty = result ? 0 : empty + 1;
      if (result) take(result.get());
    }
    throw wire_.lost(Phase::kQuery);
  }

  static PgError unasked() {
    return PgError(Phase::kQuery, Reason::kProtocol, "",
                   "the server sent something that was not asked for", true);
  }

  static PgError too_much() {
    return PgError(Phase::kQuery, Reason::kProtocol, "",
                   "the server sent more than 16 MiB or a million cells of answers", true);
  }

  static PgError timed_out() {
    return PgError(Phase::kQuery, Reason::kTimeout, "", "no answer to a query in time", true);
  }

  Wire& wire_;
  std::span<const Query> queries_;
  Deadline deadline_;
  std::vector<Answer>& answers_;
  std::vector<Deadline>* arrivals_;
  std::uint64_t received_before_;
  std::uint64_t cells_ = 0;
  std::uint64_t explained_ = 0;  // bytes, with a margin
  std::optional<Answer> current_;
  bool setup_pending_ = false;
  bool by_name_ = false;  // known when sending, and not only when the answers come
};

std::optional<PgError> flood_on(const Wire& wire) {
  try {
    wire.check_received(Phase::kIdle);
  } catch (const PgError& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace

asio::awaitable<void> LibpqConnection::pipeline(std::span<const Query> queries, Deadline deadline,
                                                std::vector<Answer>& answers,
                                                std::vector<Deadline>* arrivals) {
  const auto wire = wire_;  // close() may come while this waits
  answers.clear();
  if (arrivals != nullptr) arrivals->clear();
  if (wire->closed()) throw PgError(Phase::kQuery, Reason::kStopped, "", "already closed", true);
  PipelineRun run(*wire, queries, deadline, answers, arrivals);
  try {
    co_await run.run();
  } catch (...) {
    wire->acknowledged = wire->closed() ? std::nullopt : is_acknowledged(PQsocket(wire->raw()));
    wire->close();  // half an answer may be on its way, which is of no use
    throw;
  }
}

asio::awaitable<std::optional<PgError>> LibpqConnection::watch(Deadline deadline) {
  const auto wire = wire_;
  wire->interrupted = false;
  while (!wire->interrupted) {
    wire->watching = true;
    const bool ready = co_await wire->wait(Wire::kRead, deadline);
    wire->watching = false;
    if (!ready) co_return std::nullopt;
    const bool alive = wire->consume();
    std::optional<PgError> flooded = flood_on(*wire);
    if (flooded) {
      wire->close();
      co_return flooded;
    }
    while (PQisBusy(wire->raw()) == 0) {  // parses what came: notices reach their receiver here
      const ResultPtr result(PQgetResult(wire->raw()));
      if (!result) break;
    }
    if (!alive || wire->bad()) {
      PgError lost = wire->lost(Phase::kIdle);
      wire->close();
      co_return lost;
    }
  }
  co_return std::nullopt;
}

void LibpqConnection::interrupt() {
  wire_->interrupted = true;
  if (wire_->watching) wire_->end_wait();
}

}  // namespace pgconn::postgres
