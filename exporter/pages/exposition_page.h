// Metrics as the response to a request, in the format and encoding that it asks for. Pure; any
// thread.
#pragma once

#include <span>

#include "exporter/web/http_request.h"
#include "exporter/web/http_routes.h"
#include "metrics/exposition.h"

namespace pgconn::exporter {

// Each batch must have been unified.
Response exposition_page(const Request& request, std::span<const metrics::LabeledBatch> batches);

}  // namespace pgconn::exporter
