#include "exporter/pages/scrape_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace pgconn::exporter {

namespace {

constexpr std::string_view kTimeoutHeader = "x-prometheus-scrape-timeout-seconds";

// A positive number of seconds.
std::optional<double> read_seconds(std::string_view timeout_header) {
  double seconds = 0;
  const char* end = timeout_header.data() + timeout_header.size();
  const auto [parsed, error] = std::from_chars(timeout_header.data(), end, seconds);
  if (error != std::errc() || parsed != end || !std::isfinite(seconds) || seconds <= 0) {
    return std::nullopt;
  }
  return seconds;
}

std::optional<std::chrono::milliseconds> read_timeout(std::string_view timeout_header) {
  const auto seconds = read_seconds(timeout_header);
  if (!seconds) return std::nullopt;
  constexpr double kLongest = 3600;  // keeps all arithmetic in range
  return std::chrono::milliseconds(static_cast<long>(std::min(*seconds, kLongest) * 1000));
}

}  // namespace

std::optional<std::string> timeout_refusal(const Request& request) {
  const auto seconds = read_seconds(request.header(kTimeoutHeader));
  if (!seconds || *seconds >= 0.001) return std::nullopt;
  return "X-Prometheus-Scrape-Timeout-Seconds is below a millisecond, in which no target can "
         "answer";
}

ScrapeRequest scrape_request(const Request& request, std::chrono::steady_clock::time_point now) {
  ScrapeRequest scrape;
  scrape.target = request.parameter("target");
  for (std::string& name : request.parameters("collect[]")) {
    scrape.collectors.insert(std::move(name));
  }
  scrape.patience.began = now;
  scrape.patience.timeout = read_timeout(request.header(kTimeoutHeader));
  return scrape;
}

}  // namespace pgconn::exporter
