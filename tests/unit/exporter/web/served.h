// An HTTP server with four workers behind a listener, of which one is for others than the address
// that has the most.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "exporter/web/http_listener.h"
#include "exporter/web/http_server.h"
#include "tests/unit/exporter/web/tls_files.h"

namespace pgconn::exporter {

enum class Speaks { kTls, kPlain };

class Served {
 public:
  explicit Served(Routes routes, HttpListenerOptions options = {}, Speaks speaks = Speaks::kTls)
      : http_(http_options(), counted(std::move(routes))) {
    options.addresses = {parse_listen_address("127.0.0.1:0")};
    options.workers = 4;
    options.workers_for_others = 1;
    options.relay.inner_port = http_.ports().at(0);
    options.relay.failed_handshake = [this](const std::string&, const std::string&) { ++failures; };
    options.relay.troubled = [this](const std::string&) { ++troubles; };
    options.relay.refusal = [](int status, std::string_view body) {
      return "HTTP/1.1 " + std::to_string(status) + " refused\r\n\r\n" + std::string(body);
    };
    if (!options.refreshed) options.refreshed = [](const std::string&) {};
    auto credentials =
        speaks == Speaks::kTls ? std::make_shared<TlsCredentials>(files.settings()) : nullptr;
    listener.emplace(std::move(options), std::move(credentials), ports_);
  }

  int port() const { return listener->ports().at(0); }

  const TlsFiles files;
  std::atomic<int> failures = 0;  // of handshakes
  std::atomic<int> troubles = 0;

  // How many requests have come to their pages.
  int asked() const { return asked_; }

 private:
  Routes counted(Routes routes) {
    for (auto& [path, handler] : routes) {
      handler = [this, page = std::move(handler)](const Request& request) {
        ++asked_;
        return page(request);
      };
    }
    return routes;
  }

  HttpServerOptions http_options() {
    HttpServerOptions options;
    options.addresses = {parse_listen_address("127.0.0.1:0")};
    options.threads = 4;
    options.request_timeout = std::chrono::seconds(2);
    options.client = [this](std::string_view address, int port) {
      return ports_.client(address, port);
    };
    return options;
  }

  std::atomic<int> asked_ = 0;
  RelayedPorts ports_;
  HttpServer http_;

 public:
  std::optional<HttpListener> listener;
};

inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

// Whether there are no more of them than `before`, within some seconds.
inline bool descriptors_are_given_back(std::ptrdiff_t before) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (open_descriptors() > before && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  return open_descriptors() <= before;
}

inline Response text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

}  // namespace pgconn::exporter
