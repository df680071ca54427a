// What asking is in every protocol: sending and waiting with one deadline, answers that are kept
// within bounds, the words of a server that goes. Internal to postgres/: the public face is
// connection.h. I/O thread only; lives for one call of Connection::ask() or pipeline().
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "postgres/connection.h"
#include "postgres/wire.h"

namespace pgconn::postgres {

class Exchange {
 public:
  // All must outlive the exchange. Of `answers` and `arrivals` see Connection::pipeline().
  Exchange(Wire& wire, std::span<const Query> queries, Deadline deadline,
           std::vector<Answer>& answers, std::vector<Deadline>* arrivals);

  Wire& wire() { return wire_; }
  std::span<const Query> queries() const { return queries_; }
  // The wire's setup comes before the first query and goes unanswered yet.
  bool setup_pending() const { return setup_pending_; }
  bool is_complete() const { return !setup_pending_ && answers_.size() == queries_.size(); }
  // Statements are prepared and executed by their names.
  bool by_name() const { return by_name_; }

  // Sends what libpq has queued.
  asio::awaitable<void> flush();
  // The next result, or null as PQgetResult() has it.
  asio::awaitable<ResultPtr> next_result();
  // Takes a result into the answer to the query whose turn it is. The end of a query in a pipeline
  // is a result too.
  void take(const PGresult* result);
  // The query whose turn it is has been answered.
  void finish_query();
  // All queries have been. Throws PgError(kProtocol) if more has come than their answers explain.
  void finish();

  // The connection is lost: throws the PgError that says how.
  [[noreturn]] void throw_lost();
  static PgError unasked();

 private:
  void explain(const PGresult* result);

  Wire& wire_;
  std::span<const Query> queries_;
  Deadline deadline_;
  std::vector<Answer>& answers_;
  std::vector<Deadline>* arrivals_;
  std::uint64_t received_before_;
  std::uint64_t cells_ = 0;
  std::uint64_t explained_ = 0;  // bytes, generously
  std::optional<Answer> current_;
  bool setup_pending_;
  bool by_name_;  // known when sending, and not only when the answers come
};

// The roads that a Protocol names: ask the queries of an exchange, and take their answers.
asio::awaitable<void> run_pipeline(Exchange& exchange);
asio::awaitable<void> run_simple(Exchange& exchange);

}  // namespace pgconn::postgres
