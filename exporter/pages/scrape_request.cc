#include "exporter/pages/scrape_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace pgconn::exporter {

namespace {

std::optional<std::chrono::milliseconds> read_timeout(std::string_view timeout_header) {
  double seconds = 0;
  const char* end = timeout_header.data() + timeout_header.size();
  const auto [parsed, error] = std::from_chars(timeout_header.data(), end, seconds);
  if (error != std::errc() || parsed != end || !std::isfinite(seconds) || seconds <= 0) {
    return std::nullopt;
  }
  constexpr double kLongest = 3600;  // keeps all arithmetic in range
  return std::chrono::milliseconds(static_cast<long>(std::min(seconds, kLongest) * 1000));
}

}  // namespace

ScrapeRequest scrape_request(const Request& request, std::chrono::steady_clock::time_point now) {
  ScrapeRequest scrape;
  scrape.target = request.parameter("target");
  for (std::string& name : request.parameters("collect[]")) {
    scrape.collectors.insert(std::move(name));
  }
  scrape.patience.began = now;
  scrape.patience.timeout = read_timeout(request.header("x-prometheus-scrape-timeout-seconds"));
  return scrape;
}

}  // namespace pgconn::exporter
