// What a request to /probe asks for, and the answers that are not metrics. Pure; any thread.
#pragma once

#include <chrono>

#include "exporter/targets/on_demand.h"
#include "exporter/web/http_request.h"
#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

// Reads `target=`, `auth_module=`, `collect[]=` and Prometheus's own timeout. `now` is when the
// request arrived.
ProbeRequest probe_request(const Request& request, std::chrono::steady_clock::time_point now);

Response probe_refusal(const ProbeRefusal& refusal);

}  // namespace pgconn::exporter
