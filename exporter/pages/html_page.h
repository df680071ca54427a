// What the pages for people have in common: their look, escaping, and headers. They load nothing,
// run no scripts, and tell the browser to hold them to it. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

// The text as HTML shows it, in an element or a quoted attribute. Invalid UTF-8 is replaced.
std::string html_escaped(std::string_view text);

// A whole document. `title` is text; `style` is CSS beside that of all pages, and `main` HTML.
std::string html_document(std::string_view title, std::string_view style, std::string_view main);

// 200 with a document and the policy that it keeps to.
Response html_response(std::string document);

}  // namespace pgconn::exporter
