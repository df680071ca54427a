#include "exporter/pages/incident_page.h"

#include <nlohmann/json.hpp>

#include "exporter/pages/api.h"
#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

std::shared_ptr<const probes::Incident> incident(std::uint64_t id, std::chrono::seconds began,
                                                 const std::string& message = "gone") {
  auto one = std::make_shared<probes::Incident>();
  one->id = id;
  one->target = "orders";
  one->began = std::chrono::system_clock::time_point(began);
  one->held_before = 3;
  one->decided = true;
  one->verdict.cause = probes::Cause::kAdminTerminate;
  one->verdict.because = message;
  one->drops.push_back(
      {.error = postgres::PgError(postgres::Phase::kIdle, postgres::Reason::kTerminated, "57P01",
                                  message, true)});
  return one;
}

std::vector<TargetSnapshot> targets(
    std::vector<std::shared_ptr<const probes::Incident>> incidents) {
  std::vector<TargetSnapshot> all(1);
  all[0].name = "orders";
  all[0].incidents = std::move(incidents);
  return all;
}

Response get(const std::string& path, const std::vector<TargetSnapshot>& all) {
  Request request;
  request.path = path;
  return path.starts_with("/api") ? api_response(request, all) : incident_response(request, all);
}

TEST_CASE("What a server says is text on an incident's page and valid JSON") {
  const auto all =
      targets({incident(1, 1700000000s, "<script>alert('x')</script> \xFF \xE2\x80\xAE")});
  for (const char* path : {"/incidents", "/incidents/orders/1"}) {
    const std::string html = get(path, all).body;
    CHECK_FALSE(has(html, "<script"));
    CHECK(has(html, "&lt;script&gt;alert(&#39;x&#39;)"));
    CHECK_FALSE(has(html, "\xE2\x80\xAE"));
  }
  const auto json = nlohmann::json::parse(get("/api/v1/incidents", all).body);
  CHECK(has(json["incidents"][0]["because"], "<script>"));
}

TEST_CASE("Incidents are listed newest first, each with a link to its page") {
  const auto all = targets({incident(1, 1700000000s), incident(2, 1700000060s)});
  const std::string html = get("/incidents", all).body;
  CHECK(html.find("/incidents/orders/2") < html.find("/incidents/orders/1"));
  CHECK(has(html, "2023-11-14T22:14:20.000Z"));
  CHECK(get("/incidents/orders/2", all).status == 200);
  CHECK(get("/incidents/orders/3", all).status == 404);
  CHECK(get("/incidents/orders/", all).status == 404);
  CHECK(get("/incidents/orders/18446744073709551616", all).status == 404);
}

}  // namespace
}  // namespace pgconn::exporter
