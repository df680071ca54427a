// Which of several endpoints a connection attempt is at, and how long it may stay there. libpq goes
// on to the next one by itself when one refuses, but never when one is silent: a black hole in
// front would take all the time there is. One that has taken the TCP connection is no black hole:
// it gets most of what is left, because logins may be slow. Values, no I/O; any thread.
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
  // `prefers_standby`: libpq walks the list twice (target_session_attrs=prefer-standby), at first
  // for a standby and then for anything.
  ConnectPlan(std::vector<Endpoint> endpoints, bool prefers_standby, Deadline deadline);

  // Those that libpq is to try now, in order.
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

  // libpq begins with them.
  void begin(Deadline now);
  // libpq is at this one: as PQhost, PQhostaddr and PQport say. An address that is written in
  // another way than in the connection string does no harm: then host and port tell.
  void is_at(std::string_view host, std::string_view address, std::string_view port, Deadline now);
  // The present one has taken the TCP connection.
  void is_up(Deadline now);
  // Until when the present one may take: its share of what is left, or most of that once it is up.
  Deadline turn_ends() const { return turn_ends_; }

  // The present one has used up its turn: leaves it out. Those before it have refused, and are left
  // out too unless libpq may want them in its second walk. False if nobody is left.
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
