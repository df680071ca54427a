// Incidents for people: a list, and a page for each that an alert or a colleague can be sent a link
// to. Pure functions; any thread.
#pragma once

#include <vector>

#include "exporter/targets/snapshot.h"
#include "exporter/web/http_request.h"
#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

// Answers `/incidents` with a list (`?target=NAME`: of one target) and `/incidents/TARGET/NUMBER`
// with a page. 404 for an unknown target, and for a number that is not kept (any more).
Response incident_response(const Request& request, const std::vector<TargetSnapshot>& targets);

// The list as HTML, at most `most`; empty if there is none.
std::string incident_list(const std::vector<const TargetSnapshot*>& targets, std::size_t most);

}  // namespace pgconn::exporter
