// What the HTML pages have in common: style, escaping and headers. They load nothing, run no
// scripts, and have the browser enforce that. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

// Escapes text for an HTML element or a quoted attribute. Invalid UTF-8 is replaced.
std::string html_escaped(std::string_view text);

// A whole document. `title` is text; `style` is CSS in addition to that of all pages, and `main` is
// HTML.
std::string html_document(std::string_view title, std::string_view style, std::string_view main);

// 200 with a document and its content security policy.
Response html_response(std::string document);

}  // namespace pgconn::exporter
