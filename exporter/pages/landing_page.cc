#include "exporter/pages/landing_page.h"

#include <algorithm>

#include "collectors/postgres/findings.h"
#include "exporter/pages/html_page.h"
#include "exporter/pages/incident_page.h"
#include "exporter/pages/links.h"
#include "postgres/identifier.h"
#include "text/ascii.h"
#include "text/times.h"

namespace pgconn::exporter {
namespace {

constexpr std::size_t kMostIncidents = 5;

constexpr std::string_view kStyle = R"(
.next{margin-top:2rem}
h1 small{display:inline-block;margin-left:.4rem;font-size:.9rem;font-weight:400}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;margin:1rem 0 2rem}
table{width:100%}
td{overflow-wrap:anywhere}
th{white-space:nowrap}
td small,td .block{display:block}
.state{display:inline-block;padding:.05rem .6rem;border-radius:1rem;font-size:.875rem;
font-weight:600;white-space:nowrap}
.up{color:var(--good);background:var(--good-tint)}
.down{color:var(--bad);background:var(--bad-tint)}
.wait{color:var(--wait);background:var(--wait-tint)}
.error{margin-top:.35rem;font-size:.9rem;color:var(--bad)}
ul{margin:.35rem 0 0;padding:0;list-style:none;font-size:.9rem}
li{margin-top:.35rem}
summary{margin-top:.35rem;font-size:.9rem;cursor:pointer}
td:nth-child(1){min-width:14rem}td:nth-child(2){min-width:11rem}
td:nth-child(3),td:nth-child(4){white-space:nowrap}
li code{padding:.1rem .35rem;border-radius:.25rem;background:var(--page)}
@media (max-width:46rem){thead{display:none}
table,tbody,tr,td{display:block;width:100%}table{border:0;background:none}
tr{margin-bottom:1rem;background:var(--card);border:1px solid var(--line);padding:.4rem 0}
td{border:0;padding:.35rem .9rem}td[data-label]::before{content:attr(data-label);display:block;
font-size:.8rem;font-weight:600;color:var(--quiet)}}
)";

std::string small(const std::string& html) {
  return html.empty() ? "" : "<small>" + html + "</small>";
}

enum class State { kUp, kDown, kNotYetScraped };

State state_of(const TargetSnapshot& target) {
  if (!target.last_scrape) return State::kNotYetScraped;
  return target.last_scrape->up ? State::kUp : State::kDown;
}

std::string state_cell(const TargetSnapshot& target) {
  std::string html;
  switch (state_of(target)) {
    case State::kUp:
      html = R"(<span class="state up">up</span>)";
      break;
    case State::kDown:
      html = R"(<span class="state down">down</span>)";
      break;
    case State::kNotYetScraped:
      html = R"(<span class="state wait">not yet scraped</span>)";
      break;
  }
  const Trouble& trouble = target.trouble;
  if (!trouble.error.empty())
    html += "<div class=\"error\">" + html_escaped(trouble.error) + "</div>";
  return html + small(html_escaped(trouble.advice));
}

std::string server_cell(const TargetSnapshot& target) {
  if (!target.facts || target.facts->version.empty()) {
    return R"(<span class="quiet">unknown</span>)";
  }
  return html_escaped(target.kind->peer.product) + "&nbsp;" + html_escaped(target.facts->version) +
         small(html_escaped(role_name(*target.facts)));
}

std::string scrape_cell(const TargetSnapshot& target, std::chrono::system_clock::time_point now) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  if (!target.last_scrape) return R"(<span class="quiet">never</span>)";
  return text::spoken(duration_cast<milliseconds>(now - target.last_scrape->at)) + " ago" +
         small("took " + text::spoken(duration_cast<milliseconds>(target.last_scrape->took)));
}

// Collectors that did not succeed, all for the same reason.
struct CollectorTrouble {
  std::string names;
  Outcome outcome = Outcome::kFailed;
  std::string message;
  std::string grant;  // the SQL that would help, or empty
};

std::string grant_for(const CollectorReport& report, const TargetSnapshot& target) {
  const bool helps = report.outcome == Outcome::kSkipped && report.reason == "privilege";
  if (!helps || target.kind->grant.empty()) return "";
  return std::string(target.kind->grant) + " TO " + postgres::quoted_identifier(target.facts->role);
}

std::vector<CollectorTrouble> troubles_of(const TargetSnapshot& target) {
  std::vector<CollectorTrouble> troubles;
  for (const CollectorReport& report : target.reports) {
    if (report.outcome == Outcome::kSuccess) continue;
    const std::string grant = grant_for(report, target);
    const auto same = std::ranges::find_if(troubles, [&](const CollectorTrouble& other) {
      return other.outcome == report.outcome && other.message == report.message &&
             other.grant == grant;
    });
    if (same == troubles.end()) {
      troubles.push_back({report.name, report.outcome, report.message, grant});
    } else {
      same->names += ", " + report.name;
    }
  }
  return troubles;
}

// Collapsed: many are a matter of taste.
std::string findings_list(const TargetSnapshot& target) {
  if (target.findings.empty()) return "";
  const std::size_t count = target.findings.size();
  std::string html = "<details><summary>" + std::to_string(count) +
                     (count == 1 ? " finding" : " findings") + " about its settings</summary><ul>";
  for (const collectors::Finding& finding : target.findings) {
    html += "<li><b>" + html_escaped(finding.known->name) + "</b>, " +
            html_escaped(finding.subject) + ": " + html_escaped(finding.known->reason) + " <code>" +
            html_escaped(finding.fix) + "</code></li>";
  }
  return html + "</ul></details>";
}

// One line for all that succeeded, one for each trouble.
std::string collectors_cell(const TargetSnapshot& target) {
  constexpr std::string_view kNone = R"(<span class="quiet">none ran</span>)";
  if (!target.facts) return std::string(kNone);
  std::string names;
  for (const CollectorReport& report : target.reports) {
    if (report.outcome != Outcome::kSuccess) continue;
    names += (names.empty() ? "" : ", ") + html_escaped(report.name);
  }
  std::string troubles;
  for (const CollectorTrouble& trouble : troubles_of(target)) {
    const bool failed = trouble.outcome == Outcome::kFailed;
    troubles += std::string("<li><span class=\"state ") + (failed ? "down\">" : "wait\">") +
                html_escaped(trouble.names) + (failed ? " failed" : " skipped") + "</span> " +
                html_escaped(trouble.message);
    if (!trouble.grant.empty()) troubles += " <code>" + html_escaped(trouble.grant) + "</code>";
    troubles += "</li>";
  }
  std::string html = names.empty() ? "" : "<span class=\"block\">" + names + "</span>";
  if (!troubles.empty()) html += "<ul>" + troubles + "</ul>";
  if (html.empty()) return std::string(kNone);
  return html + findings_list(target);
}

std::string row(const TargetSnapshot& target, const LandingPage& page) {
  const auto cell = [](std::string_view label, const std::string& html) {
    return "<td data-label=\"" + std::string(label) + "\">" + html + "</td>\n";
  };
  const std::string link =
      html_escaped(page.telemetry_path) + "?target=" + percent_encoded(target.name);
  return "<tr>\n<td><a href=\"" + link + "\">" + html_escaped(target.name) + "</a>" +
         small(html_escaped(target.address + "/" + target.database)) + "</td>\n" +
         cell("State", state_cell(target)) + cell("Server", server_cell(target)) +
         cell("Last scrape", scrape_cell(target, page.now)) +
         cell("Collectors", collectors_cell(target)) + "</tr>\n";
}

std::string table(const LandingPage& view) {
  if (view.targets.empty()) return "<p>No targets are configured.</p>\n";
  std::string html =
      "<table>\n<thead><tr><th>Target</th><th>State</th><th>Server</th><th>Last scrape</th>"
      "<th>Collectors</th></tr></thead>\n<tbody>\n";
  for (const TargetSnapshot& target : view.targets) html += row(target, view);
  return html + "</tbody>\n</table>\n";
}

// "Targets: 2 up, 1 down"
std::string heading(const LandingPage& view) {
  std::string text;
  const auto add = [&](State state, std::string_view words) {
    const auto count = std::ranges::count(view.targets, state, state_of);
    if (count == 0) return;
    text += (text.empty() ? ": " : ", ") + std::to_string(count) + " " + std::string(words);
  };
  add(State::kUp, "up");
  add(State::kDown, "down");
  add(State::kNotYetScraped, "not yet scraped");
  return "Targets" + text;
}

std::string recent_incidents(const LandingPage& view) {
  std::vector<const TargetSnapshot*> targets;
  for (const TargetSnapshot& target : view.targets) targets.push_back(&target);
  const std::string list = incident_list(targets, kMostIncidents);
  return list.empty() ? ""
                      : "<h2 class=\"next\">Latest incidents <small><a href=\"/incidents\">all</a>"
                        "</small></h2>\n" +
                            list;
}

std::string source(const LandingPage& view) {
  if (!view.config_file.empty()) {
    return "Configured by <code>" + html_escaped(view.config_file) + "</code>.";
  }
  return "No configuration file: the server that libpq’s environment names (<code>PGHOST</code>, "
         "<code>PGSERVICE</code>, …) is watched.";
}

}  // namespace

std::string landing_page(const LandingPage& view) {
  const std::string metrics = html_escaped(view.telemetry_path), own(kOwnMetrics);
  return html_document(
      "pgconn_exporter", kStyle,
      "<h1>pgconn_exporter <small>" + html_escaped(view.version) + " (" +
          html_escaped(view.revision) +
          ")</small></h1>\n<p>Reports the health of PostgreSQL connections to Prometheus.</p>\n"
          "<p class=\"quiet\">" +
          source(view) + "</p>\n<nav><a href=\"" + metrics + "\">" + metrics + "</a><a href=\"" +
          metrics + own + "\">" + metrics + own +
          "</a><a href=\"/incidents\">/incidents</a><a href=\"/api/v1/targets\">/api/v1/targets</a>"
          "<a href=\"/runbooks/\">/runbooks/</a><a href=\"/-/healthy\">/-/healthy</a>"
          "<a href=\"/-/ready\">/-/ready</a></nav>\n<h2>" +
          heading(view) + "</h2>\n" + table(view) + recent_incidents(view));
}

}  // namespace pgconn::exporter
