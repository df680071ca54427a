// Which handler answers which path. Values and pure functions; any thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/web/http_request.h"

namespace pgconn::exporter {

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides the standing ones
};

// An exception becomes a 500 whose body says only that; the reason goes to the server's `failed`.
using Handler = std::function<Response(const Request&)>;

// By path, compared literally, for GET and HEAD; `POST /path` is for POST and PUT. `/pages/*` is
// for `/pages`, `/pages/` and everything below that no other route names.
using Routes = std::map<std::string, Handler, std::less<>>;

inline constexpr std::string_view kPost = "POST ";
inline constexpr std::string_view kOtherPath = "other";

struct Route {
  std::string_view name = kOtherPath;  // its path, `/pages` for `/pages/*`; suitable for a label
  const Handler* handler = nullptr;    // null: there is no route for that path
  bool changes = false;                // it is for POST and PUT, not for GET and HEAD
};

// It points into `routes`.
Route find_route(const Routes& routes, std::string_view path);

}  // namespace pgconn::exporter
