// What is done with an established connection: asking, and watching it for its end.
#include "postgres/exchange.h"
#include "postgres/libpq_connection.h"
#include "postgres/tcp_facts.h"

namespace pgconn::postgres {
namespace {

using Road = asio::awaitable<void>(Exchange&);

// `wire` by value: close() may come while this waits.
asio::awaitable<void> exchange_with(std::shared_ptr<Wire> wire, Road* road,
                                    std::span<const Query> queries, Deadline deadline,
                                    std::vector<Answer>& answers, std::vector<Deadline>* arrivals) {
  answers.clear();
  if (arrivals != nullptr) arrivals->clear();
  if (wire->closed()) throw PgError(Phase::kQuery, Reason::kStopped, "", "already closed", true);
  Exchange exchange(*wire, queries, deadline, answers, arrivals);
  try {
    co_await road(exchange);
  } catch (...) {
    wire->acknowledged = wire->closed() ? std::nullopt : is_acknowledged(PQsocket(wire->raw()));
    wire->close();  // half an answer may be on its way: of no use to anybody
    throw;
  }
}

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
  return exchange_with(wire_, run_pipeline, queries, deadline, answers, arrivals);
}

asio::awaitable<void> LibpqConnection::ask(std::span<const Query> queries, Deadline deadline,
                                           std::vector<Answer>& answers,
                                           std::vector<Deadline>* arrivals) {
  Road* const road = wire_->protocol == Protocol::kSimple ? run_simple : run_pipeline;
  return exchange_with(wire_, road, queries, deadline, answers, arrivals);
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
