#include "exporter/pages/probe_page.h"

#include "exporter/pages/scrape_request.h"
#include "text/utf8.h"

namespace pgconn::exporter {

ProbeRequest probe_request(const Request& request, std::chrono::steady_clock::time_point now) {
  ScrapeRequest scrape = scrape_request(request, now);
  ProbeRequest probe;
  probe.place = scrape.target.value_or("");
  probe.module = request.parameter("auth_module").value_or("");
  probe.collectors = std::move(scrape.collectors);
  probe.patience = scrape.patience;
  return probe;
}

Response probe_refusal(const ProbeRefusal& refusal) {
  Response response;
  response.status = refusal.status;
  response.body = text::repaired(refusal.reason) + "\n";
  if (refusal.status == 429 || refusal.status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

}  // namespace pgconn::exporter
