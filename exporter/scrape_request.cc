#include "exporter/scrape_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pgconn::exporter {

std::chrono::milliseconds scrape_budget(std::string_view timeout_header,
                                        const config::Global& global) {
  using std::chrono::milliseconds;
  double seconds = 0;
  const char* end = timeout_header.data() + timeout_header.size();
  const auto [parsed, error] = std::from_chars(timeout_header.data(), end, seconds);
  if (error != std::errc() || parsed != end || !std::isfinite(seconds) || seconds <= 0) {
    return global.scrape_timeout;
  }
  constexpr double kLongest = 3600;  // keeps the arithmetic below in range
  const milliseconds asked(static_cast<long>(std::min(seconds, kLongest) * 1000));
  const milliseconds left = std::max(asked - global.scrape_timeout_offset, asked / 2);
  return std::min(left, global.scrape_timeout);
}

ScrapeRequest scrape_request(const Request& request, const config::Global& global,
                             std::chrono::steady_clock::time_point now) {
  ScrapeRequest scrape;
  scrape.target = request.parameter("target");
  for (std::string& name : request.parameters("collect[]")) {
    scrape.collectors.insert(std::move(name));
  }
  scrape.deadline =
      now + scrape_budget(request.header("x-prometheus-scrape-timeout-seconds"), global);
  return scrape;
}

}  // namespace pgconn::exporter
