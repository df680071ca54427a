#include "exporter/pages/incident_page.h"

#include <algorithm>
#include <charconv>

#include "exporter/pages/html_page.h"
#include "exporter/pages/landing_page.h"
#include "exporter/pages/links.h"
#include "postgres/sqlstate.h"
#include "text/times.h"

namespace pgconn::exporter {
namespace {

constexpr std::string_view kStyle = R"(
nav{margin:0 0 1.5rem}
table{width:100%;margin:.6rem 0 1.6rem}
td{overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.5rem;margin:1rem 0 1.6rem}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:46rem){dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .6rem}
thead{display:none}table,tbody,tr,td{display:block;width:100%}td{border:0;padding:.2rem .9rem}
tr{border-top:1px solid var(--line);padding:.4rem 0}
td[data-label]::before{content:attr(data-label) ": ";color:var(--quiet)}}
)";
constexpr std::size_t kMostListed = 200;

std::string cell(std::string_view label, const std::string& html) {
  return "<td data-label=\"" + std::string(label) + "\">" + html + "</td>";
}

std::string cause_of(const probes::Incident& incident) {
  return incident.decided ? std::string(to_string(incident.verdict.cause)) : "being investigated";
}

std::string list_row(const probes::Incident& incident) {
  return "<tr>" +
         cell("When", "<a href=\"" + html_escaped(incident_path(incident)) + "\">" +
                          text::rfc3339(incident.began) + "</a>") +
         cell("Target", html_escaped(incident.target)) + cell("Cause", cause_of(incident)) +
         cell("Scope", std::string(to_string(incident.verdict.scope))) +
         cell("Lost", std::to_string(incident.in_all()) + " of " +
                          std::to_string(std::max(static_cast<std::size_t>(incident.held_before),
                                                  incident.in_all()))) +
         cell("Because", html_escaped(incident.verdict.because)) + "</tr>\n";
}

std::string fact(std::string_view name, const std::string& html) {
  return "<dt>" + std::string(name) + "</dt><dd>" + html + "</dd>\n";
}

std::string drops_table(const probes::Incident& incident) {
  std::string html =
      "<h2>Lost connections</h2>\n<table>\n<thead><tr><th>After</th><th>Probe</th><th>Phase</th>"
      "<th>Reason</th><th>SQLSTATE</th><th>Idle for</th><th>Message</th></tr></thead>\n<tbody>\n";
  for (const probes::Drop& drop : incident.drops) {
    html += "<tr>" +
            cell("After", text::spoken_seconds(Seconds(drop.at - incident.first).count())) +
            cell("Probe", std::string(to_string(drop.probe))) +
            cell("Phase", std::string(postgres::to_string(drop.error.phase()))) +
            cell("Reason", std::string(postgres::to_string(drop.error.reason()))) +
            cell("SQLSTATE", std::string(postgres::sqlstate_label(drop.error.sqlstate()))) +
            cell("Idle for", text::spoken_seconds(Seconds(drop.silent_for).count())) +
            cell("Message", html_escaped(drop.error.what())) + "</tr>\n";
  }
  html += "</tbody>\n</table>\n";
  if (incident.turns > 0) {
    html += "<p>And " + std::to_string(incident.turns) + " more, which are not listed.</p>\n";
  }
  return html;
}

std::string incident_html(const probes::Incident& incident) {
  const std::string name = html_escaped(incident.target);
  return "<nav><a href=\"/\">All targets</a> · <a href=\"/incidents?target=" +
         percent_encoded(incident.target) + "\">Incidents of " + name + "</a></nav>\n<h1>" +
         cause_of(incident) + " <small>" + name + ", incident " + std::to_string(incident.id) +
         "</small></h1>\n<dl>\n" + fact("Began", text::rfc3339(incident.began)) +
         fact("Lasted", text::spoken_seconds(Seconds(incident.last - incident.first).count())) +
         fact("Scope", std::string(to_string(incident.verdict.scope)) + ": " +
                           std::to_string(incident.in_all()) + " lost, " +
                           std::to_string(incident.held_before) + " held before") +
         fact("Because", html_escaped(incident.verdict.because)) + "</dl>\n" +
         drops_table(incident) +
         "<p><a href=\"/runbooks/PgConnDropRateHigh\">What to do about each cause</a></p>\n";
}

Response not_found(const std::string& what) {
  Response response;
  response.status = 404;
  response.body = what + "\n";
  return response;
}

Response one_incident(const std::string& rest, const std::vector<TargetSnapshot>& targets) {
  const std::size_t slash = rest.rfind('/');
  const std::string name = rest.substr(0, slash);
  std::uint64_t id = 0;
  const char* const end = rest.data() + rest.size();
  const bool numbered =
      slash != std::string::npos && std::from_chars(rest.data() + slash + 1, end, id).ptr == end;
  const auto target = std::ranges::find(targets, name, &TargetSnapshot::name);
  if (target == targets.end()) return not_found("unknown target; all incidents: /incidents");
  const auto found = std::ranges::find_if(
      target->incidents, [&](const auto& one) { return numbered && one->id == id; });
  if (found == target->incidents.end()) {
    return not_found(
        "no such incident; the latest 200 of a target are kept until the exporter ends");
  }
  return html_response(
      html_document(std::string(to_string((*found)->verdict.cause)) + ", " + target->name, kStyle,
                    incident_html(**found)));
}

}  // namespace

std::string incident_list(const std::vector<const TargetSnapshot*>& targets, std::size_t most) {
  const auto incidents = newest_first(targets);
  if (incidents.empty()) return "";
  std::string html =
      "<table>\n<thead><tr><th>When</th><th>Target</th><th>Cause</th><th>Scope</th><th>Lost</th>"
      "<th>Because</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < std::min(most, incidents.size()); ++i)
    html += list_row(*incidents[i]);
  return html + "</tbody>\n</table>\n";
}

Response incident_response(const Request& request, const std::vector<TargetSnapshot>& targets) {
  constexpr std::string_view kRoot = "/incidents";
  std::string rest = request.path.substr(std::min(kRoot.size() + 1, request.path.size()));
  if (!rest.empty()) return one_incident(rest, targets);
  const auto wanted = request.parameter("target");
  std::vector<const TargetSnapshot*> chosen;
  for (const TargetSnapshot& target : targets) {
    if (!wanted || target.name == *wanted) chosen.push_back(&target);
  }
  if (wanted && chosen.empty()) return not_found("unknown target; all incidents: /incidents");
  std::string list = incident_list(chosen, kMostListed);
  if (list.empty()) list = "<p>No connection was lost since the exporter started.</p>\n";
  return html_response(html_document(
      "Incidents", kStyle,
      "<nav><a href=\"/\">All targets</a></nav>\n<h1>Incidents" +
          (wanted ? " <small>" + html_escaped(*wanted) + "</small>" : "") + "</h1>\n" + list));
}

}  // namespace pgconn::exporter
