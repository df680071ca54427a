#include "exporter/pages/runbooks.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

constexpr std::string_view kFull = R"(# PgConnFull

**All slots are taken | soon.**

## First look

See [the other](PgConnOther) & <script>alert(1)</script> `a<b`.

| cause | sign |
|---|---|
| leak | `idle` rises |

```sql
SELECT 1 < 2;
```
)";

constexpr Runbook kRunbooks[] = {{"PgConnFull", kFull},
                                 {"PgConnOther", "# PgConnOther\n\n**Another.**\n"}};

Response ask(std::string path, std::string accept = "") {
  Request request;
  request.method = "GET";
  request.path = std::move(path);
  if (!accept.empty()) request.headers["Accept"] = std::move(accept);
  return runbook_response(kRunbooks, request);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a runbook is a page with headings, tables, code and links") {
  const Response response = ask("/runbooks/PgConnFull");
  CHECK(response.status == 200);
  CHECK(response.content_type == "text/html; charset=utf-8");
  CHECK(contains(response.body, "<title>PgConnFull</title>"));
  CHECK(contains(response.body, "<h1>PgConnFull</h1>"));
  CHECK(contains(response.body, "<h2>First look</h2>"));
  CHECK(contains(response.body, "<td>leak</td>"));
  CHECK(contains(response.body, "<a href=\"PgConnOther\">the other</a>"));
  CHECK(contains(response.body, "<code class=\"language-sql\">SELECT 1 &lt; 2;\n</code>"));
  CHECK(contains(response.body, "<a href=\"/runbooks/\">runbooks</a>"));
}

TEST_CASE("HTML inside the Markdown is shown, not obeyed") {
  const std::string body = ask("/runbooks/PgConnFull").body;
  CHECK_FALSE(contains(body, "<script"));
  CHECK(contains(body, "&lt;script&gt;alert(1)&lt;/script&gt; <code>a&lt;b</code>"));
}

TEST_CASE("a runbook page needs nothing from elsewhere") {
  const std::string body = ask("/runbooks/PgConnFull").body;
  CHECK_FALSE(contains(body, "http"));
  CHECK_FALSE(contains(body, "src="));
  CHECK_FALSE(contains(body, "url("));
}

TEST_CASE("a client that asks for Markdown or plain text gets the file as it is") {
  const std::string accept = GENERATE("text/markdown", "Text/Markdown;q=0.9, text/html;q=0.5");
  const Response markdown = ask("/runbooks/PgConnFull", accept);
  CHECK(markdown.content_type == "text/markdown; charset=utf-8");
  CHECK(markdown.body == kFull);
  const Response plain = ask("/runbooks/PgConnFull", "text/plain, */*;q=0.1");
  CHECK(plain.content_type == "text/plain; charset=utf-8");
  CHECK(plain.body == kFull);
  const Response by_name = ask("/runbooks/PgConnFull.md", "text/html,*/*");
  CHECK(by_name.content_type == "text/markdown; charset=utf-8");
  CHECK(by_name.body == kFull);
}

TEST_CASE("a client that names no form, or HTML first, gets HTML") {
  const std::string accept =
      GENERATE("", "*/*", "text/*", "text/html,text/plain", "application/json",
               "text/html,application/xhtml+xml,*/*;q=0.8");
  CHECK(ask("/runbooks/PgConnFull", accept).content_type == "text/html; charset=utf-8");
}

TEST_CASE("the list links every runbook with its sentence") {
  const std::string path = GENERATE("/runbooks", "/runbooks/");
  const std::string body = ask(path).body;
  CHECK(contains(body,
                 "<td><a href=\"/runbooks/PgConnFull\">PgConnFull</a></td>\n"
                 "<td>All slots are taken | soon.</td>"));
  CHECK(contains(body,
                 "<td><a href=\"/runbooks/PgConnOther\">PgConnOther</a></td>\n"
                 "<td>Another.</td>"));
  CHECK(contains(ask(path, "text/plain").body,
                 "| [PgConnOther](/runbooks/PgConnOther) | Another. |"));
}

TEST_CASE("a program without runbooks says so") {
  Request request;
  request.path = "/runbooks/";
  const Response list = runbook_response({}, request);
  CHECK(list.status == 200);
  CHECK(contains(list.body, "built without any"));
  request.path = "/runbooks/PgConnFull";
  CHECK(runbook_response({}, request).status == 404);
}

TEST_CASE("an unknown name is 404 with the nearest one and where all are") {
  const Response response = ask("/runbooks/PgConFull");
  CHECK(response.status == 404);
  CHECK(response.content_type == "text/plain; charset=utf-8");
  CHECK(response.body ==
        "There is no runbook of that name. Did you mean /runbooks/PgConnFull? "
        "All there are: /runbooks/\n");
}

TEST_CASE("names that climb, are cut or hold odd characters are 404 and not repeated") {
  const std::string name =
      GENERATE(as<std::string>{}, "../PgConnFull", "..", ".md", "PgConnFull/", "/PgConnFull",
               "pgconnfull.MD", "PgConnFull.md.md", "PgConnFull%00", "<script>", "\xFF\xFE",
               std::string("PgConnFull\0", 11), "*", std::string(15000, 'x'));
  const Response response = ask("/runbooks/" + name);
  CHECK(response.status == 404);
  CHECK_FALSE(contains(response.body, "<"));
  CHECK(response.body.size() < 200);
}

std::map<std::string, std::string> runbook_files() {
  const std::filesystem::path folder = PGCONN_SOURCE_DIR "/alerts/runbooks";
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".md") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    files[entry.path().stem()] = text.str();
  }
  return files;
}

TEST_CASE("this program holds the files of alerts/runbooks byte for byte, by name") {
  std::map<std::string, std::string> embedded;
  for (const Runbook& runbook : embedded_runbooks()) {
    embedded.emplace(runbook.alert, runbook.markdown);
  }
  CHECK(embedded == runbook_files());
  CHECK(std::ranges::is_sorted(embedded_runbooks(), {}, &Runbook::alert));
}

}  // namespace
}  // namespace pgconn::exporter
