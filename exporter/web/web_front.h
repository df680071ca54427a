// What faces clients: the HTTP server, the checks of the web configuration in front of its pages,
// and the listener in front of all that, which speaks TLS if the file says so. The file is checked
// before each request and each handshake, and read again when it has changed; one that cannot be
// used, or would let more people in, is reported in the log and changes nothing.
//
// Construct, reload, stop and destroy from one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/web/http_routes.h"
#include "exporter/web/http_server.h"

namespace pgconn::exporter {

// Reads and checks the file of --web.config.file and the files that it names, as at startup. Throws
// std::runtime_error (or ConfigError, which is one) that says what is wrong; returns warnings about
// settings that protect less than they may seem to.
std::vector<std::string> check_web_config(const std::string& file);

class WebFront {
 public:
  // Listens at once, on `options.addresses`. `file` is empty if there is none. Throws
  // std::runtime_error that says what is wrong with the file or an address.
  WebFront(HttpServerOptions options, const std::string& file, Routes routes);
  ~WebFront();  // stops

  // The bound ports in the order of the addresses.
  const std::vector<int>& ports() const;
  bool has_tls() const;

  // Reads and checks the file again, and returns a function that applies it. Throws as the
  // constructor does, and if TLS would be turned on or off: that needs a restart.
  std::function<void()> read_again();

  // As HttpServer::stop(), and up to a second more for answers on their way.
  // Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
