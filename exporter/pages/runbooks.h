// The runbooks: for each alert a page that says what it means and what to do. They are the Markdown
// files of alerts/runbooks/, embedded in the program. Pure functions; any thread.
#pragma once

#include <span>
#include <string_view>

#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

struct Runbook {
  std::string_view alert;
  std::string_view markdown;  // begins with `# Alert`, an empty line and `**One sentence.**`
};

// The runbooks that this program was built with, sorted by name. They live as long as the process.
std::span<const Runbook> embedded_runbooks();

// Answers `/runbooks` with a list, `/runbooks/Alert` with a page: in HTML, or as Markdown if the
// path ends in `.md` or the Accept header names text/markdown or text/plain before text/html.
// Any other path is 404 with the nearest name.
Response runbook_response(std::span<const Runbook> runbooks, const Request& request);

}  // namespace pgconn::exporter
