// The configured targets as Prometheus's HTTP service discovery reads them (http_sd_config): one
// scrape of this exporter for each target. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "exporter/web/http_request.h"
#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

// The address to scrape is the one that the request was sent to (its Host header): a request
// without one, or with one that is no address, gets 400.
Response service_discovery(const Request& request, const std::vector<config::Target>& targets,
                           std::string_view telemetry_path, bool tls);

}  // namespace pgconn::exporter
