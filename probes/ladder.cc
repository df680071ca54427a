#include "probes/ladder.h"

#include <algorithm>
#include <stdexcept>

namespace pgconn::probes {
namespace {

constexpr int kNarrow = 20;  // a bracket narrower than this part of its upper end is narrow enough

bool contains(std::span<const IdleLadder::Silence> silences, IdleLadder::Silence silence) {
  return std::find(silences.begin(), silences.end(), silence) != silences.end();
}

}  // namespace

IdleLadder::IdleLadder(std::vector<Silence> rungs) : rungs_(std::move(rungs)) {
  if (rungs_.empty()) throw std::invalid_argument("a ladder needs at least one rung");
}

IdleLadder::Silence IdleLadder::next(std::span<const Silence> under_way) {
  if (!dropped_) {
    for (const Silence rung : rungs_) {
      const bool known = survived_ && rung <= *survived_;
      if (!known && !contains(under_way, rung)) return rung;
    }
    return rungs_.back();
  }
  const Silence low = survived_.value_or(Silence::zero());
  const Silence middle = low + (*dropped_ - low) / 2;
  if (*dropped_ - low > *dropped_ / kNarrow && !contains(under_way, middle)) return middle;
  // Narrow, or another canary halves it already: see whether the ends still hold.
  // One at the upper end is enough: there connections are lost.
  if (!survived_) return *dropped_;
  if (contains(under_way, *dropped_)) return *survived_;
  if (contains(under_way, *survived_)) return *dropped_;
  at_upper_end_ = !at_upper_end_;
  return at_upper_end_ ? *dropped_ : *survived_;
}

void IdleLadder::survived(Silence silence) {
  if (!survived_ || silence > *survived_) survived_ = silence;
  if (dropped_ && silence >= *dropped_) dropped_.reset();
}

void IdleLadder::dropped(Silence silence) {
  if (!dropped_ || silence < *dropped_) dropped_ = silence;
  if (survived_ && *survived_ >= silence) survived_.reset();
}

IdleLadder::Silence IdleLadder::rung_of(Silence silence) const {
  const auto found = std::lower_bound(rungs_.begin(), rungs_.end(), silence);
  return found == rungs_.end() ? rungs_.back() : *found;
}

}  // namespace pgconn::probes
