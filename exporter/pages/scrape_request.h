// What a request to /metrics asks for. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "exporter/targets/fleet.h"
#include "exporter/web/http_request.h"

namespace pgconn::exporter {

// Why a scrape cannot be made in the time that it has; every target would seem to be down.
std::optional<std::string> timeout_refusal(const Request& request);

// Reads `target=`, `collect[]=` and Prometheus's own timeout (X-Prometheus-Scrape-Timeout-Seconds;
// what is no positive number is ignored). `now` is when the request came.
ScrapeRequest scrape_request(const Request& request, std::chrono::steady_clock::time_point now);

}  // namespace pgconn::exporter
