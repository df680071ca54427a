#include "exporter/pages/service_discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "text/ascii.h"

namespace pgconn::exporter {
namespace {

// As clients write it; only this client gets it back.
bool is_address(std::string_view host) {
  return !host.empty() && host.size() <= 300 && std::all_of(host.begin(), host.end(), [](char c) {
    return text::is_letter_or_digit(c) || std::string_view("-_.:[]").find(c) != std::string::npos;
  });
}

}  // namespace

Response service_discovery(const Request& request, const std::vector<config::Target>& targets,
                           std::string_view telemetry_path, bool tls) {
  Response response;
  const std::string host(request.header("host"));
  if (!is_address(host)) {
    response.status = 400;
    response.body = "the Host header is missing or not an address\n";
    return response;
  }
  nlohmann::json groups = nlohmann::json::array();
  for (const config::Target& target : targets) {
    nlohmann::json labels(target.labels);
    labels["target"] = target.name;
    labels["__param_target"] = target.name;
    labels["__metrics_path__"] = telemetry_path;
    if (tls) labels["__scheme__"] = "https";
    groups.push_back({{"targets", {host}}, {"labels", std::move(labels)}});
  }
  response.content_type = "application/json";
  response.body = groups.dump(2) + "\n";
  return response;
}

}  // namespace pgconn::exporter
