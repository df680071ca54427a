#include "exporter/pages/landing_page.h"

#include "collectors/postgres/findings.h"
#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr std::chrono::system_clock::time_point kNow{1700000000s};

LandingPage page_with(TargetSnapshot target) {
  LandingPage page;
  page.version = "1.2.3";
  page.revision = "abc123";
  page.telemetry_path = "/pg/metrics";
  page.config_file = "/etc/pgconn_exporter.yml";
  page.targets = {std::move(target)};
  page.now = kNow;
  return page;
}

CollectorReport report(std::string name, Outcome outcome, std::string message,
                       std::string reason = "") {
  return {.name = std::move(name),
          .outcome = outcome,
          .reason = std::move(reason),
          .message = std::move(message)};
}

TargetSnapshot up_target() {
  TargetSnapshot target;
  target.name = "orders";
  target.kind = &collectors::postgres_kind();
  target.address = "db.internal:5432";
  target.database = "postgres";
  target.last_scrape = LastScrape{kNow - 4200ms, 12ms, true};
  target.facts.emplace();
  target.facts->version = "17.11";
  target.facts->in_recovery = false;
  target.facts->role = "m";
  target.reports = {report("server", Outcome::kSuccess, ""),
                    report("limits", Outcome::kSuccess, "")};
  return target;
}

// Everything between two marks, or nothing.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t start = text.find(from);
  if (start == std::string::npos) return "";
  const std::size_t end = text.find(to, start + from.size());
  return text.substr(start + from.size(), end - start - from.size());
}

TEST_CASE("the page says what it is, its version, its configuration and its links") {
  const std::string html = landing_page(page_with(up_target()));
  CHECK(contains(html, "pgconn_exporter <small>1.2.3 (abc123)</small>"));
  CHECK(contains(html, "Configured by <code>/etc/pgconn_exporter.yml</code>."));
  CHECK(contains(html, "<a href=\"/pg/metrics\">/pg/metrics</a>"));
  CHECK(contains(html, "<a href=\"/pg/metrics/exporter\">/pg/metrics/exporter</a>"));
  CHECK(contains(html, "<a href=\"/-/healthy\">/-/healthy</a>"));
  CHECK(contains(html, "<a href=\"/-/ready\">/-/ready</a>"));
}

TEST_CASE("without a configuration file the page names libpq's environment") {
  LandingPage page = page_with(up_target());
  page.config_file.clear();
  CHECK(contains(landing_page(page),
                 "No configuration file: the server that libpq’s environment names"));
}

TEST_CASE("a target that is up shows server, role, last scrape and its collectors") {
  const std::string html = landing_page(page_with(up_target()));
  const std::string row = between(html, "<tbody>", "</tbody>");
  CHECK(contains(row,
                 "<a href=\"/pg/metrics?target=orders\">orders</a>"
                 "<small>db.internal:5432/postgres</small>"));
  CHECK(contains(row, ">up</span>"));
  CHECK(contains(row, "PostgreSQL&nbsp;17.11<small>primary</small>"));
  CHECK(contains(row, "4.2 s ago<small>took 12 ms</small>"));
  CHECK(contains(row, ">server, limits</span>"));
}

TEST_CASE("findings about settings are shown with their reason and the SQL that fixes them") {
  CHECK_FALSE(contains(landing_page(page_with(up_target())), "<details>"));
  TargetSnapshot target = up_target();
  const collectors::KnownFinding plain{
      .name = "tls_off", .when = "", .reason = "Plain <text>.", .fix = ""};
  target.findings = {{&plain, "server", "ALTER SYSTEM SET ssl = on;"},
                     {&plain, "role app", "ALTER ROLE;"}};
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html, "<summary>2 findings about its settings</summary>"));
  CHECK(contains(html,
                 "<li><b>tls_off</b>, server: Plain &lt;text&gt;. "
                 "<code>ALTER SYSTEM SET ssl = on;</code></li>"));
}

TEST_CASE("a target that is down shows its last error and what to do") {
  TargetSnapshot target = up_target();
  target.last_scrape->up = false;
  target.trouble = {"connection refused", "start it"};
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html,
                 ">down</span><div class=\"error\">connection refused</div>"
                 "<small>start it</small>"));
  CHECK(contains(html, "<h2>Targets: 1 down</h2>"));
}

TEST_CASE("a target that was not scraped yet claims nothing") {
  TargetSnapshot target;
  target.name = "new";
  const std::string row = between(landing_page(page_with(target)), "<tbody>", "</tbody>");
  CHECK(contains(row, ">not yet scraped</span>"));
  CHECK(contains(row, ">unknown</span>"));
  CHECK(contains(row, ">never</span>"));
  CHECK(contains(row, ">none ran</span>"));
}

TEST_CASE("of a target that never answered no collector has run") {
  TargetSnapshot target = up_target();
  target.facts.reset();
  target.last_scrape->up = false;
  target.reports = {report("sessions", Outcome::kFailed, "")};
  const std::string row = between(landing_page(page_with(target)), "<tbody>", "</tbody>");
  CHECK(contains(row, ">unknown</span>"));
  CHECK(contains(row, ">none ran</span>"));
}

TEST_CASE("collectors that failed or were skipped say why, and which grant is missing") {
  TargetSnapshot target = up_target();
  target.reports.push_back(report("sessions", Outcome::kSkipped, "cannot see others", "privilege"));
  target.reports.push_back(report("blocking", Outcome::kFailed, "lock timeout"));
  target.reports.push_back(report("newer", Outcome::kSkipped, "needs PostgreSQL 18", "version"));
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html,
                 "sessions skipped</span> cannot see others "
                 "<code>GRANT pg_monitor TO &quot;m&quot;</code></li>"));
  CHECK(contains(html, "blocking failed</span> lock timeout</li>"));
  CHECK(contains(html, "newer skipped</span> needs PostgreSQL 18</li>"));
}

TEST_CASE("collectors with the same problem share one line") {
  TargetSnapshot target = up_target();
  const auto skipped = [](const char* name, const char* message) {
    return report(name, Outcome::kSkipped, message, "privilege");
  };
  target.reports.push_back(skipped("sessions", "cannot see others"));
  target.reports.push_back(skipped("settings", "cannot see settings"));
  target.reports.push_back(skipped("blocking", "cannot see others"));
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html, "sessions, blocking skipped</span> cannot see others"));
  CHECK(contains(html, "settings skipped</span> cannot see settings"));
}

TEST_CASE("the heading counts the targets by state") {
  LandingPage page = page_with(up_target());
  page.targets.push_back(up_target());
  page.targets.emplace_back();
  CHECK(contains(landing_page(page), "<h2>Targets: 2 up, 1 not yet scraped</h2>"));
  page.targets.clear();
  CHECK(contains(landing_page(page), "<p>No targets are configured.</p>"));
}

TEST_CASE("no text of a target becomes markup, and the page is valid UTF-8") {
  const std::string hostile = "<script>alert('1')</script>\"&\xFF";
  LandingPage page;
  page.version = page.revision = page.config_file = page.telemetry_path = hostile;
  TargetSnapshot target = up_target();
  target.name = target.address = target.database = target.trouble.error = target.trouble.advice =
      target.facts->version = target.facts->role = hostile;
  target.reports = {report(hostile, Outcome::kSuccess, ""),
                    report(hostile, Outcome::kFailed, hostile),
                    report(hostile, Outcome::kSkipped, hostile, "privilege")};
  const collectors::KnownFinding finding{.name = hostile, .when = "", .reason = hostile, .fix = ""};
  target.findings = {{&finding, hostile, hostile}};
  page.targets = {target};
  const std::string html = landing_page(page);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("alert('") == std::string::npos);
  CHECK(html.find('\xFF') == std::string::npos);
  CHECK(contains(html, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;\xEF\xBF\xBD"));
  CHECK(contains(html, "?target=%3Cscript%3Ealert%28%271%27%29"));
}

TEST_CASE("the page needs nothing from elsewhere") {
  const std::string html = landing_page(page_with(up_target()));
  CHECK(html.find("http:") == std::string::npos);
  CHECK(html.find("https:") == std::string::npos);
  CHECK(html.find("src=") == std::string::npos);
  CHECK(html.find("url(") == std::string::npos);
}

}  // namespace
}  // namespace pgconn::exporter
