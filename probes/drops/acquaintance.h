// What is known of the server: when it started, its version, what lies on the way to it. While an
// incident is under investigation this is evidence of the state before it, and does not change. I/O
// thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <vector>

#include "async/time_source.h"
#include "postgres/connector.h"
#include "postgres/endpoint_error.h"
#include "probes/drops/server_marks.h"

namespace pgconn::probes {

class Acquaintance {
 public:
  // Both must outlive it.
  Acquaintance(postgres::Connector& connector, async::TimeSource& time)
      : connector_(connector), time_(time) {}

  // Looks at the server on a session of its own. If there are several endpoints, the answers of
  // those that refused us go to `turned_away`, unless that is null. Throws PgError.
  asio::awaitable<ServerLook> look(postgres::Deadline deadline,
                                   std::vector<postgres::EndpointError>* turned_away);
  // The same, to learn what the server is; one that lets nobody in stays unknown. Throws PgError
  // only when it is stopped.
  asio::awaitable<void> meet(postgres::Deadline deadline);

  // The server as a scrape saw it. Ignored while frozen.
  void learn(const ServerMarks& marks, int server_version);
  // While frozen it learns nothing.
  void freeze(bool frozen) { frozen_ = frozen; }
  // The state in which an incident left the server.
  void replace(const ServerMarks& marks) { marks_ = marks; }

  bool has_met() const { return marks_.start_time.has_value(); }
  const ServerMarks& marks() const { return marks_; }
  std::optional<int> server_version() const { return server_version_; }  // as PQserverVersion
  const std::optional<ServerLook>& last_look() const { return last_look_; }

 private:
  postgres::Connector& connector_;
  async::TimeSource& time_;
  bool frozen_ = false;
  ServerMarks marks_;
  std::optional<int> server_version_;
  std::optional<ServerLook> last_look_;
};

}  // namespace pgconn::probes
