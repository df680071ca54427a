// Plain HTTP on civetweb: GET and HEAD, one worker thread per connection. Handlers run on the
// workers, many at once, and must be thread-safe. Connections are closed after one answer:
// an idle kept-alive connection would hold a worker. The listener in front (http_listener.h) passes
// it only complete requests.
//
// Construct, stop and destroy from one thread. The routes and callbacks must not touch the server.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/web/http_routes.h"
#include "exporter/web/listen_address.h"

namespace pgconn::exporter {

struct HttpServerOptions {
  std::vector<ListenAddress> addresses;
  int threads = 48;  // one connection each
  // For the whole request line and headers, and for each stall while an answer is written.
  std::chrono::milliseconds request_timeout{5000};
  // Where a request comes from, given the IP address and port of the connection's other end. None:
  // it is refused with 403.
  std::function<std::optional<std::string>(std::string_view address, int port)> client =
      [](std::string_view address, int) { return std::string(address); };
  // The answer to a request that must not reach a page; nothing lets it pass. Called by workers.
  std::function<std::optional<Response>(const Request&)> refuse = [](const Request&) {
    return std::nullopt;
  };
  // Added to every answer, besides the standard ones.
  std::function<std::vector<std::pair<std::string, std::string>>()> headers = [] {
    return std::vector<std::pair<std::string, std::string>>();
  };
  // After each answer, from the worker. `path` is a route (`/pages` for `/pages/*`), or "other" for
  // everything else, so it is suitable for a label.
  std::function<void(std::string_view path, int status)> served = [](auto, auto) {};
  // A handler threw, or civetweb reports an error (then `path` is "other"). From any thread.
  std::function<void(std::string_view path, std::string_view reason)> failed = [](auto, auto) {};
};

class HttpServer {
 public:
  // Listens at once. Throws std::runtime_error that names the address, the reason and what to do.
  HttpServer(HttpServerOptions options, Routes routes);
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Answers new requests with 503, waits for the answers under way, then closes. Handlers must
  // return for it to end. Takes some 20 ms, up to 2 s while a client is half-open. Idempotent.
  void stop();

  // The bound ports in the order of the addresses, with the ports that the kernel chose for 0.
  // Empty after stop().
  const std::vector<int>& ports() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
