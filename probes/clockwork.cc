#include "probes/probe.h"

#include <functional>

namespace pgconn::probes {

std::chrono::milliseconds splay(const std::string& target, ProbeKind probe,
                                std::chrono::milliseconds interval) {
  if (interval.count() <= 0) return std::chrono::milliseconds(0);
  const std::string key = target + "/" + std::string(to_string(probe));
  const auto spread = std::hash<std::string>()(key) % static_cast<std::size_t>(interval.count());
  return std::chrono::milliseconds(spread);
}

Clock::time_point next_run(Clock::time_point start, std::chrono::milliseconds interval,
                           Clock::time_point now) {
  if (now < start) return start;
  return start + ((now - start) / interval + 1) * interval;
}

}  // namespace pgconn::probes
