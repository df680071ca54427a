// The extended protocol: all queries in one libpq pipeline.
#include <set>

#include "postgres/exchange.h"

namespace pgconn::postgres {
namespace {

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

void queue_all(Exchange& exchange) {
  Wire& wire = exchange.wire();
  bool sent = PQenterPipelineMode(wire.raw()) != 0;
  if (exchange.setup_pending())
    sent = sent && queue(wire.raw(), {wire.setup_sql, ""}, false, false);
  std::set<std::string_view> preparing;  // a name may occur twice
  for (const Query& query : exchange.queries()) {
    const bool named = exchange.by_name() && !query.name.empty();
    const bool prepare =
        named && !wire.prepared.contains(query.name) && preparing.insert(query.name).second;
    sent = sent && queue(wire.raw(), query, named, prepare);
  }
  if (!sent) exchange.throw_lost();
}

}  // namespace

asio::awaitable<void> run_pipeline(Exchange& exchange) {
  if (exchange.is_complete()) co_return;
  queue_all(exchange);
  co_await exchange.flush();
  int empty = 0;
  while (!exchange.is_complete()) {
    const ResultPtr result = co_await exchange.next_result();
    // One NULL ends the results of a command; more of them mean that nothing will come any more.
    empty = result ? 0 : empty + 1;
    if (result) {
      exchange.take(result.get());
    } else if (empty > 2 || exchange.wire().bad()) {
      exchange.throw_lost();
    }
  }
  if (PQexitPipelineMode(exchange.wire().raw()) == 0) throw Exchange::unasked();
  exchange.finish();
}

}  // namespace pgconn::postgres
