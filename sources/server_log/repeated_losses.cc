#include "sources/server_log/repeated_losses.h"

#include <algorithm>

namespace pgconn::server_log {
namespace {

// Process numbers are reused, but not this soon.
constexpr std::chrono::seconds kOneLoss{10};

}  // namespace

bool RepeatedLosses::is_repeated(const Entry& entry, const Classified& classified, TimePoint now) {
  if (classified.event != Event::kConnectionLost || entry.pid == 0) return false;
  const TimePoint time = entry.time.value_or(now);
  const auto same = [&](const Loss& loss) {
    return loss.pid == entry.pid && std::chrono::abs(time - loss.time) <= kOneLoss;
  };
  if (std::ranges::any_of(last_, same)) return true;
  last_.at(next_) = {entry.pid, time};
  next_ = (next_ + 1) % last_.size();
  return false;
}

}  // namespace pgconn::server_log
