#include "exporter/pages/runbooks.h"

#include <md4c-html.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "exporter/pages/html_page.h"
#include "text/ascii.h"
#include "text/nearest_name.h"

namespace pgconn::exporter {
namespace {

constexpr std::string_view kRoot = "/runbooks";
constexpr std::string_view kSuffix = ".md";

// Text has a readable width; tables and commands may use the full one.
constexpr std::string_view kStyle = R"(
nav{margin-bottom:1.5rem;font-size:.9rem;color:var(--quiet)}
h1{margin-bottom:.3rem;overflow-wrap:anywhere}
h2{margin:2.2rem 0 .5rem;font-size:1.25rem}
h3{margin:1.5rem 0 .4rem;font-size:1.05rem;font-weight:650}
h1,h2,h3,p,li{max-width:44rem}
p,ul,ol{margin:.7rem 0}
ul,ol{padding-left:1.5rem}
li{margin:.3rem 0}
table{display:block;width:fit-content;max-width:100%;overflow-x:auto;margin:1rem 0;border-radius:.35rem}
td,th{padding:.5rem .8rem;min-width:8rem;max-width:36rem}
code{overflow-wrap:break-word}
code{padding:.1rem .3rem;border-radius:.25rem;background:var(--line)}
pre{margin:.9rem 0;padding:.8rem 1rem;overflow-x:auto;border:1px solid var(--line);
border-radius:.35rem;background:var(--card);line-height:1.45}
pre code{padding:0;background:none}
@media print{body{padding:0}nav{display:none}pre{white-space:pre-wrap}}
)";

enum class Form { kHtml, kMarkdown, kPlain };

// The form that the Accept header names first.
Form accepted_form(std::string_view accept) {
  const std::string types = text::lowered(accept);
  const std::size_t html = types.find("text/html");
  const std::size_t markdown = types.find("text/markdown");
  const std::size_t plain = types.find("text/plain");
  if (markdown < std::min(html, plain)) return Form::kMarkdown;
  return plain < html ? Form::kPlain : Form::kHtml;
}

std::string html_of(std::string_view markdown) {
  if (markdown.size() > std::numeric_limits<MD_SIZE>::max()) {
    throw std::length_error("too much Markdown");
  }
  std::string html;
  const auto append = [](const MD_CHAR* piece, MD_SIZE size, void* whole) {
    static_cast<std::string*>(whole)->append(piece, size);
  };
  const int status = md_html(markdown.data(), static_cast<MD_SIZE>(markdown.size()), append, &html,
                             MD_DIALECT_COMMONMARK | MD_FLAG_TABLES | MD_FLAG_NOHTML, 0);
  if (status != 0) throw std::runtime_error("cannot make HTML of the Markdown");
  return html;
}

Response page(std::string_view title, std::string_view markdown, Form form) {
  Response response;
  if (form == Form::kHtml) {
    const std::string navigation =
        "<nav><a href=\"/\">pgconn_exporter</a> › <a href=\"/runbooks/\">runbooks</a></nav>\n";
    response = html_response(html_document(title, kStyle, navigation + html_of(markdown)));
  } else {
    response.content_type =
        form == Form::kMarkdown ? "text/markdown; charset=utf-8" : "text/plain; charset=utf-8";
    response.body = markdown;
  }
  response.headers.emplace_back("Vary", "Accept");
  return response;
}

// The bold sentence under the heading, still as Markdown, but fit for a table cell.
std::string summary(std::string_view markdown) {
  constexpr std::string_view kBold = "**";
  const std::size_t start = markdown.find("\n**");
  if (start == std::string_view::npos) return "";
  std::string_view line = markdown.substr(start + 1 + kBold.size());
  line = line.substr(0, line.find('\n'));
  line = line.substr(0, line.rfind(kBold));
  std::string cell;
  for (const char c : line) cell.append(c == '|' ? "\\" : "").push_back(c);
  return cell;
}

std::string index(std::span<const Runbook> runbooks) {
  if (runbooks.empty()) return "# Runbooks\n\nThis program was built without any.\n";
  std::string markdown = "# Runbooks\n\n| Alert | In short |\n|---|---|\n";
  for (const auto& [alert, text] : runbooks) {
    markdown.append("| [").append(alert).append("](").append(kRoot).append("/").append(alert);
    markdown.append(") | ").append(summary(text)).append(" |\n");
  }
  return markdown;
}

Response not_found(std::span<const Runbook> runbooks, std::string_view name) {
  std::vector<std::string_view> alerts;
  std::ranges::transform(runbooks, std::back_inserter(alerts), &Runbook::alert);
  Response response;
  response.status = 404;
  response.body = "There is no runbook of that name.";
  if (const auto nearest = text::nearest_name(name, alerts)) {
    response.body.append(" Did you mean ").append(kRoot).append("/").append(*nearest).append("?");
  }
  response.body.append(" All there are: ").append(kRoot).append("/\n");
  return response;
}

}  // namespace

Response runbook_response(std::span<const Runbook> runbooks, const Request& request) {
  std::string_view name = request.path;
  name.remove_prefix(std::min(kRoot.size() + 1, name.size()));
  Form form = accepted_form(request.header("accept"));
  if (name.empty()) return page("Runbooks", index(runbooks), form);
  if (name.ends_with(kSuffix)) {
    name.remove_suffix(kSuffix.size());
    form = Form::kMarkdown;
  }
  const auto runbook = std::ranges::find(runbooks, name, &Runbook::alert);
  if (runbook == runbooks.end()) return not_found(runbooks, name);
  return page(runbook->alert, runbook->markdown, form);
}

}  // namespace pgconn::exporter
