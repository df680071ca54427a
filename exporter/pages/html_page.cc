#include "exporter/pages/html_page.h"

#include "text/utf8.h"

namespace pgconn::exporter {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--text:#1d232b;--quiet:#616b78;--link:#1f5fa8;
--page:#f5f6f8;--card:#fff;--line:#e1e5ea;--good:#1b7a43;--good-tint:#e2f3e8;
--bad:#ad2a24;--bad-tint:#fbe7e5;--wait:#7a5a05;--wait-tint:#f8efd5}
@media (prefers-color-scheme:dark){:root{--text:#dfe4ea;--quiet:#96a1af;--link:#83b6ef;
--page:#14181d;--card:#1c2229;--line:#2f3740;--good:#7fd3a0;--good-tint:#1b3627;
--bad:#f19a93;--bad-tint:#42211f;--wait:#e5c470;--wait-tint:#3a3018}}
*{box-sizing:border-box}
body{margin:0;padding:2.5rem 1.25rem;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:72rem;margin:0 auto}
h1{margin:0;font-size:1.6rem;font-weight:650}
h2{margin:0 0 .6rem;font-size:1.1rem;font-weight:650}
p{margin:.4rem 0}
a{color:var(--link)}
.quiet,small{color:var(--quiet)}
small{font-size:.875rem}
table{border-collapse:collapse;background:var(--card);border:1px solid var(--line)}
th,td{padding:.7rem .9rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
th{font-size:.8rem;font-weight:600;color:var(--quiet);border-top:0}
code{font:.85em/1.6 ui-monospace,Menlo,"DejaVu Sans Mono",monospace}
@media (max-width:46rem){body{padding:1.25rem .9rem}}
)";

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string html;
  for (const char c : text::repaired(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html.push_back(c);
    }
  }
  return html;
}

std::string html_document(std::string_view title, std::string_view style, std::string_view main) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
  html.append(html_escaped(title)).append("</title>\n<style>").append(kStyle).append(style);
  html.append("</style>\n</head>\n<body>\n<main>\n").append(main);
  return html + "</main>\n</body>\n</html>\n";
}

Response html_response(std::string document) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.body = std::move(document);
  return response;
}

}  // namespace pgconn::exporter
