// The simple protocol: one query after the other, each sent when the one before it is answered.
#include "postgres/exchange.h"

namespace pgconn::postgres {
namespace {

asio::awaitable<void> ask_one(Exchange& exchange, const std::string& sql) {
  if (PQsendQuery(exchange.wire().raw(), sql.c_str()) == 0) exchange.throw_lost();
  co_await exchange.flush();
  for (;;) {
    const ResultPtr result = co_await exchange.next_result();
    if (!result) break;
    exchange.take(result.get());
  }
  if (exchange.wire().bad()) exchange.throw_lost();
  exchange.finish_query();
}

}  // namespace

asio::awaitable<void> run_simple(Exchange& exchange) {
  if (exchange.setup_pending()) co_await ask_one(exchange, exchange.wire().setup_sql);
  for (const Query& query : exchange.queries()) co_await ask_one(exchange, query.sql);
  exchange.finish();
}

}  // namespace pgconn::postgres
