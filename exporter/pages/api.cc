#include "exporter/pages/api.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "collectors/postgres/findings.h"
#include "exporter/pages/links.h"
#include "postgres/sqlstate.h"
#include "text/times.h"

namespace pgconn::exporter {
namespace {

using nlohmann::json;
using Targets = std::vector<const TargetSnapshot*>;

template <typename Value>
json or_null(const std::optional<Value>& value) {
  return value ? json(*value) : json();
}

json seconds_or_null(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? json(Seconds(*duration).count()) : json();
}

// Unix time; null if there is none.
json date_or_null(const std::optional<std::int64_t>& unix_time) {
  if (!unix_time) return {};
  return text::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(*unix_time)));
}

json trouble_json(const Trouble& trouble) {
  if (trouble.error.empty()) return {};
  return {{"error", trouble.error}, {"advice", trouble.advice}};
}

std::string_view state_name(const TargetSnapshot& target) {
  if (!target.last_scrape) return "not_yet_scraped";
  return target.last_scrape->up ? "up" : "down";
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess:
      return "success";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kSkipped:
      return "skipped";
  }
  return "failed";
}

json server_json(const TargetSnapshot& target) {
  if (!target.facts) return {};
  return {{"version", target.facts->version},
          {"role", role_name(*target.facts)},
          {"login_role", target.facts->role}};
}

json collectors_json(const TargetSnapshot& target) {
  json all = json::array();
  for (const CollectorReport& report : target.reports) {
    all.push_back({{"name", report.name},
                   {"outcome", outcome_name(report.outcome)},
                   {"reason", report.reason},
                   {"message", report.message}});
  }
  return all;
}

json probes_json(const TargetSnapshot& target) {
  json all = json::object();
  for (const auto& [kind, result] : target.probes) {
    all[std::string(to_string(kind))] = {{"success", result.success},
                                         {"seconds", result.seconds},
                                         {"trouble", trouble_json(result.trouble)}};
  }
  return all;
}

json target_json(const TargetSnapshot& target) {
  json one = {{"target", target.name},
              {"kind", target.kind != nullptr ? std::string(target.kind->name) : ""},
              {"address", target.address},
              {"database", target.database},
              {"state", state_name(target)},
              {"server", server_json(target)},
              {"last_scrape", json()},
              {"trouble", trouble_json(target.trouble)},
              {"collectors", collectors_json(target)},
              {"probes", probes_json(target)},
              {"idle", json()},
              {"findings", target.findings.size()},
              {"incidents", target.incidents.size()}};
  if (target.last_scrape) {
    one["last_scrape"] = {{"at", text::rfc3339(target.last_scrape->at)},
                          {"seconds", target.last_scrape->took.count()}};
  }
  if (target.idle) {
    one["idle"] = {{"longest_survived_seconds", seconds_or_null(target.idle->longest_survived)},
                   {"shortest_dropped_seconds", seconds_or_null(target.idle->shortest_dropped)}};
  }
  return one;
}

json targets_json(const Targets& targets) {
  json all = json::array();
  for (const TargetSnapshot* target : targets) all.push_back(target_json(*target));
  return {{"targets", std::move(all)}};
}

json findings_json(const Targets& targets) {
  json all = json::array();
  for (const TargetSnapshot* target : targets) {
    for (const collectors::Finding& finding : target->findings) {
      all.push_back({{"target", target->name},
                     {"finding", finding.known->name},
                     {"severity", to_string(finding.known->severity)},
                     {"subject", finding.subject},
                     {"when", finding.known->when},
                     {"why", finding.known->reason},
                     {"fix", finding.fix}});
    }
  }
  return {{"findings", std::move(all)}};
}

json drop_json(const probes::Drop& drop, const probes::Incident& incident) {
  return {{"probe", to_string(drop.probe)},
          {"after_seconds", Seconds(drop.at - incident.first).count()},
          {"phase", postgres::to_string(drop.error.phase())},
          {"reason", postgres::to_string(drop.error.reason())},
          {"sqlstate", postgres::sqlstate_label(drop.error.sqlstate())},
          {"message", drop.error.what()},
          {"idle_seconds", Seconds(drop.silent_for).count()},
          {"backend_pid", drop.backend_pid != 0 ? json(drop.backend_pid) : json()}};
}

json incident_json(const probes::Incident& incident) {
  json drops = json::array();
  for (const probes::Drop& drop : incident.drops) drops.push_back(drop_json(drop, incident));
  return {{"target", incident.target},
          {"id", incident.id},
          {"page", incident_path(incident)},
          {"began", text::rfc3339(incident.began)},
          {"seconds", Seconds(incident.last - incident.first).count()},
          {"decided", incident.decided},
          {"cause", to_string(incident.verdict.cause)},
          {"scope", to_string(incident.verdict.scope)},
          {"because", incident.verdict.because},
          {"held_before", incident.held_before},
          {"lost", incident.in_all()},
          {"drops", std::move(drops)}};
}

json incidents_json(const Targets& targets) {
  json all = json::array();
  for (const auto& incident : newest_first(targets)) all.push_back(incident_json(*incident));
  return {{"incidents", std::move(all)}};
}

json certificate_json(const probes::CertificateFacts& facts) {
  return {{"position", to_string(facts.position)},
          {"serial", facts.serial},
          {"subject", facts.subject},
          {"issuer", facts.issuer},
          {"key", facts.key_type + " " + std::to_string(facts.key_bits)},
          {"signature", facts.signature},
          {"sans", facts.sans},
          {"not_before", date_or_null(facts.not_before)},
          {"not_after", date_or_null(facts.not_after)}};
}

json certificates_json(const Targets& targets) {
  json all = json::array();
  for (const TargetSnapshot* target : targets) {
    for (const probes::CertificateSource& source : target->certificates) {
      json chain = json::array();
      for (const auto& facts : source.facts.certificates) chain.push_back(certificate_json(facts));
      const auto& verification = source.facts.verification;
      all.push_back({{"target", target->name},
                     {"source", source.name},
                     {"readable", source.readable},
                     {"not_after", date_or_null(source.facts.not_after)},
                     {"verified", verification ? json(verification->verified) : json()},
                     {"verification_error", verification ? json(verification->error) : json()},
                     {"hostname_match", or_null(source.facts.hostname_match)},
                     {"certificates", std::move(chain)}});
    }
  }
  return {{"certificates", std::move(all)}};
}

Response json_response(int status, const json& content) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  // What servers say may be no UTF-8.
  response.body = content.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

struct Page {
  std::string_view path;
  json (*content)(const Targets& targets);
};
constexpr std::array<Page, 4> kPages = {{{"/api/v1/targets", targets_json},
                                         {"/api/v1/findings", findings_json},
                                         {"/api/v1/incidents", incidents_json},
                                         {"/api/v1/certificates", certificates_json}}};

}  // namespace

Response api_response(const Request& request, const std::vector<TargetSnapshot>& targets) {
  const auto page = std::ranges::find(kPages, request.path, &Page::path);
  if (page == kPages.end()) {
    return json_response(404, {{"error",
                                "no such path; there are /api/v1/targets, /api/v1/findings, "
                                "/api/v1/incidents and /api/v1/certificates"}});
  }
  const auto wanted = request.parameter("target");
  Targets chosen;
  for (const TargetSnapshot& target : targets) {
    if (!wanted || target.name == *wanted) chosen.push_back(&target);
  }
  if (wanted && chosen.empty()) {
    return json_response(404, {{"error", "unknown target \"" + *wanted + "\""}});
  }
  return json_response(200, page->content(chosen));
}

}  // namespace pgconn::exporter
