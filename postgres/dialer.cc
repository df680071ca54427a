#include "postgres/dialer.h"

#include <utility>

namespace pgconn::postgres {

Dialer::Dialer(asio::any_io_executor executor, Resolver& resolver, MakeConnInfo conninfo,
               int budget)
    : executor_(std::move(executor)),
      resolver_(resolver),
      conninfo_(std::move(conninfo)),
      budget_(budget) {}

Dialer::Slot::Slot(Dialer& dialer, std::string purpose)
    : dialer_(&dialer), purpose_(std::move(purpose)) {
  ++dialer_->used_;
  ++dialer_->open_[purpose_];
}

Dialer::Slot& Dialer::Slot::operator=(Slot&& other) noexcept {
  release();
  dialer_ = std::exchange(other.dialer_, nullptr);
  purpose_ = std::move(other.purpose_);
  return *this;
}

void Dialer::Slot::release() noexcept {
  if (dialer_ == nullptr) return;
  --dialer_->used_;
  --dialer_->open_.find(purpose_)->second;
  dialer_ = nullptr;
}

Dialer::Slot Dialer::take_place(std::string purpose) {
  if (used_ >= budget_) {
    throw PgError(Phase::kConfig, Reason::kBudget, "",
                  "all " + std::to_string(budget_) +
                      " connections of this target are in use (max_connections_per_target)",
                  false);
  }
  return {*this, std::move(purpose)};
}

asio::awaitable<Dialer::Session> Dialer::dial(ConnectOptions options, Deadline deadline) {
  Session session;
  session.slot = take_place(options.purpose);
  options.given_up = given_up_;
  const ConnInfo conninfo = conninfo_();
  session.connection =
      co_await Connection::connect(executor_, resolver_, conninfo, options, deadline);
  co_return session;
}

}  // namespace pgconn::postgres
