#include "exporter/web/civetweb_exchange.h"

#include <civetweb.h>

#include <ctime>
#include <limits>

namespace pgconn::exporter {
namespace {

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

// Status line and headers, including the final empty line.
std::string response_head(const Response& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     mg_get_response_code_text(nullptr, response.status) +
                     "\r\nDate: " + http_date() + "\r\nContent-Type: " + response.content_type +
                     "\r\nContent-Length: " + std::to_string(response.body.size()) +
                     "\r\nConnection: close\r\nCache-Control: no-store"
                     "\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : response.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head + "\r\n";
}

}  // namespace

std::string as_sent(const Response& response) { return response_head(response) + response.body; }

Request read_request(const mg_request_info& info) {
  Request request;
  request.method = info.request_method;
  // local_uri would have its dot segments resolved: paths are compared as they were sent.
  request.path = percent_decode(info.local_uri_raw);
  if (info.query_string != nullptr) request.query = parse_query(info.query_string);
  for (int i = 0; i < info.num_headers; ++i) {
    const mg_header& header = info.http_headers[i];
    const auto [place, added] = request.headers.emplace(header.name, header.value);
    if (!added) place->second.append(", ").append(header.value);
  }
  return request;
}

void send_response(mg_connection* connection, const Response& response, bool with_body) {
  const std::string head = response_head(response);
  if (mg_write(connection, head.data(), head.size()) < 0 || !with_body) return;
  std::string_view rest = response.body;
  while (!rest.empty()) {  // mg_write takes at most INT_MAX bytes
    const std::size_t limit = std::numeric_limits<int>::max();
    const std::string_view piece = rest.substr(0, limit);
    if (mg_write(connection, piece.data(), piece.size()) != static_cast<int>(piece.size())) return;
    rest.remove_prefix(piece.size());
  }
}

}  // namespace pgconn::exporter
