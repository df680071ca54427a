#include "exporter/pages/html_page.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

TEST_CASE("text becomes no markup, and what is no UTF-8 is replaced") {
  CHECK(html_escaped("<b title=\"'\">&\xFF") ==
        "&lt;b title=&quot;&#39;&quot;&gt;&amp;\xEF\xBF\xBD");
}

TEST_CASE("what would turn the direction of a page, or of a terminal, is escaped") {
  CHECK(html_escaped("a\xE2\x80\xAE\xC2\x9B") == "a\\u202e\\u009b");
}

TEST_CASE("a document has the title as text, the shared style before its own, and its content") {
  const std::string html = html_document("a<b", "p{color:red}", "<p>x</p>");
  CHECK(html.find("<title>a&lt;b</title>") != std::string::npos);
  CHECK(html.find("<main>\n<p>x</p></main>") != std::string::npos);
  const std::size_t shared = html.find("prefers-color-scheme:dark");
  REQUIRE(shared != std::string::npos);
  CHECK(html.find("p{color:red}</style>") > shared);
}

TEST_CASE("an HTML answer lets the browser load and run nothing") {
  const Response response = html_response("<!DOCTYPE html>");
  CHECK(response.status == 200);
  CHECK(response.content_type == "text/html; charset=utf-8");
  const auto policy = std::ranges::find(response.headers, "Content-Security-Policy",
                                        &std::pair<std::string, std::string>::first);
  REQUIRE(policy != response.headers.end());
  CHECK(policy->second.starts_with("default-src 'none'; style-src 'unsafe-inline'; "));
  CHECK(policy->second.find("script-src") == std::string::npos);
}

}  // namespace
}  // namespace pgconn::exporter
