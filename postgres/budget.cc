#include "postgres/budget.h"

#include "postgres/error.h"

namespace pgconn::postgres {

Budget::Place::Place(Budget& budget, std::string purpose)
    : budget_(&budget), purpose_(std::move(purpose)) {
  ++budget_->used_;
  ++budget_->open_[purpose_];
}

Budget::Place& Budget::Place::operator=(Place&& other) noexcept {
  release();
  budget_ = std::exchange(other.budget_, nullptr);
  purpose_ = std::move(other.purpose_);
  return *this;
}

void Budget::Place::release() noexcept {
  if (budget_ == nullptr) return;
  --budget_->used_;
  --budget_->open_.find(purpose_)->second;
  budget_ = nullptr;
}

Budget::Place Budget::take(std::string purpose) {
  if (used_ >= limit_) {
    throw PgError(Phase::kConfig, Reason::kBudget, "",
                  "all " + std::to_string(limit_) +
                      " connections of this target are in use (max_connections_per_target)",
                  false);
  }
  return {*this, std::move(purpose)};
}

}  // namespace pgconn::postgres
