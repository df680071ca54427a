// What a request to /metrics asks for. Pure; any thread.
#pragma once

#include <chrono>
#include <string_view>

#include "config/config.h"
#include "exporter/fleet.h"
#include "exporter/http_request.h"

namespace pgconn::exporter {

// How long a scrape may take: Prometheus's own timeout (X-Prometheus-Scrape-Timeout-Seconds) less
// the configured offset, at most the configured ceiling. A header that is no positive number is
// ignored; an offset larger than the timeout leaves half of it.
std::chrono::milliseconds scrape_budget(std::string_view timeout_header,
                                        const config::Global& global);

// Reads `target=` and `collect[]=`. `now` starts the budget.
ScrapeRequest scrape_request(const Request& request, const config::Global& global,
                             std::chrono::steady_clock::time_point now);

}  // namespace pgconn::exporter
