// What a request to /metrics asks for. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "exporter/targets/fleet.h"
#include "exporter/web/http_request.h"

namespace pgconn::exporter {

// Why a scrape is impossible within its timeout: every target would appear to be down.
std::optional<std::string> timeout_refusal(const Request& request);

// Reads `target=`, `collect[]=` and Prometheus's own timeout (X-Prometheus-Scrape-Timeout-Seconds;
// anything but a positive number is ignored). `now` is when the request arrived.
ScrapeRequest scrape_request(const Request& request, std::chrono::steady_clock::time_point now);

}  // namespace pgconn::exporter
