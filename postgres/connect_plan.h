// Which of several endpoints a connection attempt is at, and how long it may stay there. libpq goes
// on to the next one by itself when one refuses, but never when one is silent: a black hole that
// comes first would use up all the time. One that has accepted the TCP connection is no black hole:
// it gets most of the time left, because logins may be slow. Values, no I/O; any thread.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "postgres/conninfo.h"
#include "postgres/resolver.h"

namespace pgconn::postgres {

// In random order, each as likely as any other. `dice` gives numbers in [0, 1).
void shuffle(std::vector<Endpoint>& endpoints, const std::function<double()>& dice);

class ConnectPlan {
 public:
  // `prefers_standby`: libpq goes through the list twice (target_session_attrs=prefer-standby),
  // first for a standby and then for any server.
  ConnectPlan(std::vector<Endpoint> endpoints, bool prefers_standby, Deadline deadline);

  // The endpoints that libpq should try now, in order.
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

  // libpq begins to try them.
  void begin(Deadline now);
  // libpq is at this one, according to PQhost, PQhostaddr and PQport. An address that is written
  // differently from the connection string does no harm: host and port identify it.
  void is_at(std::string_view host, std::string_view address, std::string_view port, Deadline now);
  // The current one has accepted the TCP connection.
  void is_up(Deadline now);
  // The current one's deadline: its share of the time left, or most of that once it is up.
  Deadline turn_ends() const { return turn_ends_; }

  // The current one has used up its turn: leaves it out. Those before it have refused, and are left
  // out too unless libpq may need them in its second pass. False if none is left.
  bool leave_out();

 private:
  bool is(const Endpoint& endpoint, std::string_view host, std::string_view address,
          std::string_view port) const;
  void start_turn(Deadline now);
  // Turns to come, this one included.
  std::size_t turns_left() const;

  std::vector<Endpoint> endpoints_;
  bool prefers_standby_;
  Deadline deadline_;
  Deadline turn_ends_;
  bool up_ = false;
  std::size_t at_ = 0;
  bool second_walk_ = false;
};

}  // namespace pgconn::postgres
