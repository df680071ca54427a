#include "exporter/pages/landing_page.h"

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

LandingPage page_with(TargetView target) {
  LandingPage page;
  page.version = "1.2.3";
  page.revision = "abc123";
  page.telemetry_path = "/pg/metrics";
  page.config_file = "/etc/pgconn_exporter.yml";
  page.targets = {std::move(target)};
  return page;
}

TargetView up_target() {
  TargetView target;
  target.name = "orders";
  target.address = "db.internal:5432/postgres";
  target.state = TargetView::State::kUp;
  target.server_version = "17.11";
  target.role = "primary";
  target.since_last_scrape = 4200ms;
  target.scrape_duration = 12ms;
  target.collectors = {{"server", CollectorView::State::kSucceeded, "", ""},
                       {"limits", CollectorView::State::kSucceeded, "", ""}};
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
  TargetView target = up_target();
  target.findings = {{"tls_off", "server", "Plain <text>.", "ALTER SYSTEM SET ssl = on;"},
                     {"idle_in_transaction_timeout_disabled", "role app", "Locks.", "ALTER ROLE;"}};
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html, "<summary>2 findings about its settings</summary>"));
  CHECK(contains(html,
                 "<li><b>tls_off</b>, server: Plain &lt;text&gt;. "
                 "<code>ALTER SYSTEM SET ssl = on;</code></li>"));
}

TEST_CASE("a target that is down shows its last error and what to do") {
  TargetView target = up_target();
  target.state = TargetView::State::kDown;
  target.error = "connection refused";
  target.advice = "start it";
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html,
                 ">down</span><div class=\"error\">connection refused</div>"
                 "<small>start it</small>"));
  CHECK(contains(html, "<h2>Targets: 1 down</h2>"));
}

TEST_CASE("a target that was not scraped yet claims nothing") {
  TargetView target;
  target.name = "new";
  const std::string row = between(landing_page(page_with(target)), "<tbody>", "</tbody>");
  CHECK(contains(row, ">not yet scraped</span>"));
  CHECK(contains(row, ">unknown</span>"));
  CHECK(contains(row, ">never</span>"));
  CHECK(contains(row, ">none ran</span>"));
}

TEST_CASE("collectors that failed or were skipped say why, and which grant is missing") {
  TargetView target = up_target();
  target.collectors.push_back({"sessions", CollectorView::State::kSkipped, "cannot see others",
                               "GRANT pg_monitor TO \"m\""});
  target.collectors.push_back({"blocking", CollectorView::State::kFailed, "lock timeout", ""});
  const std::string html = landing_page(page_with(target));
  CHECK(contains(html,
                 "sessions skipped</span> cannot see others "
                 "<code>GRANT pg_monitor TO &quot;m&quot;</code></li>"));
  CHECK(contains(html, "blocking failed</span> lock timeout</li>"));
}

TEST_CASE("collectors with the same problem share one line") {
  TargetView target = up_target();
  const auto skipped = CollectorView::State::kSkipped;
  target.collectors.push_back({"sessions", skipped, "cannot see others", "GRANT x"});
  target.collectors.push_back({"settings", skipped, "cannot see settings", "GRANT x"});
  target.collectors.push_back({"blocking", skipped, "cannot see others", "GRANT x"});
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

TEST_CASE("no text of the view becomes markup, and the page is valid UTF-8") {
  const std::string hostile = "<script>alert('1')</script>\"&\xFF";
  LandingPage page;
  page.version = page.revision = page.config_file = page.telemetry_path = hostile;
  TargetView target;
  target.name = target.address = target.error = target.server_version = target.role = hostile;
  target.state = TargetView::State::kDown;
  target.collectors = {{hostile, CollectorView::State::kSucceeded, "", ""},
                       {hostile, CollectorView::State::kFailed, hostile, hostile}};
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

TEST_CASE("durations are shown in the unit a person would use") {
  CHECK(spoken(-5ms) == "under 1 ms");
  CHECK(spoken(0ms) == "under 1 ms");
  CHECK(spoken(1ms) == "1 ms");
  CHECK(spoken(999ms) == "999 ms");
  CHECK(spoken(1000ms) == "1.0 s");
  CHECK(spoken(9999ms) == "9.9 s");
  CHECK(spoken(10s) == "10 s");
  CHECK(spoken(119s) == "119 s");
  CHECK(spoken(2min) == "2 min");
  CHECK(spoken(2h) == "2 h");
  CHECK(spoken(47h) == "47 h");
  CHECK(spoken(48h) == "2 d");
}

}  // namespace
}  // namespace pgconn::exporter
