#include "probes/drops/acquaintance.h"

namespace pgconn::probes {

asio::awaitable<ServerLook> Acquaintance::look(postgres::Deadline deadline,
                                               std::vector<postgres::EndpointError>* turned_away) {
  postgres::ConnectOptions options;
  options.purpose = "diagnose";
  options.turned_away = turned_away;
  const postgres::Session session = co_await connector_.dial(options, deadline);
  last_look_ = co_await look_at_server(*session.connection, time_, deadline);
  server_version_ = session.connection->server_version();
  co_return *last_look_;
}

asio::awaitable<void> Acquaintance::meet(postgres::Deadline deadline) {
  try {
    const ServerLook seen = co_await look(deadline, nullptr);
    if (!frozen_) marks_ = seen.marks;
  } catch (const postgres::PgError& error) {
    if (error.reason() == postgres::Reason::kStopped) throw;
  }
}

void Acquaintance::learn(const ServerMarks& marks, int server_version) {
  if (frozen_) return;
  marks_ = learned(marks_, marks);
  server_version_ = server_version;
}

}  // namespace pgconn::probes
