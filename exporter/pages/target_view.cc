#include "exporter/pages/target_view.h"

#include "postgres/identifier.h"

namespace pgconn::exporter {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

CollectorView collector_view(const CollectorReport& report, const std::string& role) {
  CollectorView view;
  view.name = report.name;
  view.reason = report.message;
  switch (report.outcome) {
    case Outcome::kSuccess:
      view.state = CollectorView::State::kSucceeded;
      break;
    case Outcome::kFailed:
      view.state = CollectorView::State::kFailed;
      break;
    case Outcome::kSkipped:
      view.state = CollectorView::State::kSkipped;
      if (report.reason == "privilege")
        view.grant = "GRANT pg_monitor TO " + postgres::quoted_identifier(role);
      break;
  }
  return view;
}

}  // namespace

TargetView target_view(const TargetState& state, std::chrono::system_clock::time_point now) {
  TargetView view;
  view.name = state.name;
  view.address = state.address + "/" + state.database;
  view.error = state.error;
  view.advice = state.advice;
  if (!state.scraped) return view;
  view.state = state.up ? TargetView::State::kUp : TargetView::State::kDown;
  view.since_last_scrape = duration_cast<milliseconds>(now - state.last_scrape);
  view.scrape_duration = duration_cast<milliseconds>(state.last_duration);
  if (!state.facts) return view;
  view.server_version = state.facts->version;
  view.role = state.facts->in_recovery ? "standby" : "primary";
  for (const CollectorReport& report : state.reports) {
    view.collectors.push_back(collector_view(report, state.facts->role));
  }
  for (const collectors::Finding& finding : state.findings) {
    view.findings.push_back({std::string(finding.known->name), finding.subject,
                             std::string(finding.known->reason), finding.fix});
  }
  return view;
}

}  // namespace pgconn::exporter
