#include "postgres/dialer.h"

#include <utility>

namespace pgconn::postgres {

Dialer::Dialer(asio::any_io_executor executor, Resolver& resolver, MakeConnInfo conninfo,
               int budget, Refused refused)
    : executor_(std::move(executor)),
      resolver_(resolver),
      conninfo_(std::move(conninfo)),
      refused_(std::move(refused)),
      budget_(budget) {}

asio::awaitable<Session> Dialer::dial(ConnectOptions options, Deadline deadline) {
  Session session;
  session.place = budget_.take(options.purpose);
  options.given_up = given_up_;
  const ConnInfo conninfo = co_await conninfo_(deadline);
  try {
    session.connection =
        co_await Connection::connect(executor_, resolver_, conninfo, options, deadline);
  } catch (const PgError& error) {
    if (error.reason() == Reason::kAuthentication) refused_();
    throw;
  }
  co_return session;
}

}  // namespace pgconn::postgres
