// Between civetweb's structures and ours: one request in, one response out. Called by the worker
// that owns the connection.
#pragma once

#include <string>

#include "exporter/web/http_server.h"

struct mg_connection;
struct mg_request_info;

namespace pgconn::exporter {

// `info` must come from a request that civetweb did not decode (decode_url=no).
Request read_request(const mg_request_info& info);

// Status line, headers with the body's length, and the body.
std::string as_sent(const Response& response);

// Writes status line, headers with the body's length, and the body if `with_body`. Gives up
// silently when the client is gone or does not read.
void send_response(mg_connection* connection, const Response& response, bool with_body);

}  // namespace pgconn::exporter
