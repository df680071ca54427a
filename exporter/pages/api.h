// What is known of the targets, as JSON for programs: /api/v1/…, described by docs/openapi.json.
// Pure functions from snapshots; any thread.
#pragma once

#include <vector>

#include "exporter/targets/snapshot.h"
#include "exporter/web/http_request.h"
#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

// Answers /api/v1/targets, /findings, /incidents and /certificates, each for all targets or, with
// `?target=NAME`, for one. 404 for another path or an unknown target.
Response api_response(const Request& request, const std::vector<TargetSnapshot>& targets);

}  // namespace pgconn::exporter
