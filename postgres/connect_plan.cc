#include "postgres/connect_plan.h"

#include <algorithm>
#include <asio/ip/address.hpp>
#include <string>
#include <utility>

namespace pgconn::postgres {
namespace {

// libpq shows addresses in one notation and without the zone of fe80::1%eth0.
bool may_be_same(const std::string& given, std::string_view shown) {
  asio::error_code error;
  const auto a = asio::ip::make_address(given.substr(0, given.find('%')), error);
  if (error) return true;
  const auto b = asio::ip::make_address(std::string(shown), error);
  return error || a == b;
}

}  // namespace

void shuffle(std::vector<Endpoint>& endpoints, const std::function<double()>& dice) {
  for (std::size_t left = endpoints.size(); left > 1; --left) {
    const auto drawn = static_cast<std::size_t>(dice() * static_cast<double>(left));
    std::swap(endpoints[left - 1], endpoints[std::min(drawn, left - 1)]);
  }
}

ConnectPlan::ConnectPlan(std::vector<Endpoint> endpoints, bool prefers_standby, Deadline deadline)
    : endpoints_(std::move(endpoints)),
      prefers_standby_(prefers_standby),
      deadline_(deadline),
      turn_ends_(deadline) {}

void ConnectPlan::begin(Deadline now) {
  at_ = 0;
  second_walk_ = false;
  start_turn(now);
}

void ConnectPlan::is_at(std::string_view host, std::string_view address, std::string_view port,
                        Deadline now) {
  const auto begin = endpoints_.begin();
  const auto present = begin + static_cast<std::ptrdiff_t>(at_);
  const auto same = [&](const Endpoint& e) { return is(e, host, address, port); };
  auto found = std::find_if(present, endpoints_.end(), same);
  const bool backwards = found == endpoints_.end();
  if (backwards) found = std::find_if(begin, present, same);
  if (found == present) return;
  at_ = static_cast<std::size_t>(found - begin);
  second_walk_ = second_walk_ || backwards;
  start_turn(now);
}

bool ConnectPlan::leave_out() {
  const auto present = endpoints_.begin() + static_cast<std::ptrdiff_t>(at_);
  endpoints_.erase(prefers_standby_ ? present : endpoints_.begin(), present + 1);
  return !endpoints_.empty();
}

bool ConnectPlan::is(const Endpoint& endpoint, std::string_view host, std::string_view address,
                     std::string_view port) const {
  const std::string& name = endpoint.host.empty() ? endpoint.hostaddr : endpoint.host;
  return name == host && endpoint.port == port && may_be_same(endpoint.hostaddr, address);
}

void ConnectPlan::is_up(Deadline now) {
  if (up_) return;
  up_ = true;
  // A frozen server is up too, so the others are left a quarter.
  turn_ends_ = turns_left() == 1 ? deadline_ : now + (deadline_ - now) * 3 / 4;
}

void ConnectPlan::start_turn(Deadline now) {
  up_ = false;
  turn_ends_ = now + (deadline_ - now) / static_cast<Deadline::rep>(turns_left());
}

std::size_t ConnectPlan::turns_left() const {
  std::size_t left = endpoints_.size() - at_;
  // The last endpoint has no other to leave time for.
  if (prefers_standby_ && !second_walk_ && endpoints_.size() > 1) left += endpoints_.size();
  return std::max<std::size_t>(left, 1);
}

}  // namespace pgconn::postgres
