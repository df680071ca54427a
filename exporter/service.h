// The running exporter: the I/O thread with the fleet of targets, and the HTTP pages on top. The
// one crossing between HTTP workers and the I/O thread is in service.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/loader.h"
#include "exporter/web/listen_address.h"
#include "sources/host/host_reader.h"

namespace pgconn::exporter {

struct ServiceOptions {
  std::vector<ListenAddress> listen_addresses;
  std::string telemetry_path = "/metrics";
  int max_requests = 40;        // scrapes at once; more are answered with 503
  std::string config_file;      // empty: none, watches the server of libpq's environment
  std::string web_config_file;  // empty: plain HTTP without logins
  bool lifecycle = false;       // whether POST /-/reload is answered
  host::HostPaths host_paths;   // for targets with `host: true`
  // Reads the configuration, at the start and at each reload; throws config::ConfigError. Called
  // from any thread, one call at a time.
  std::function<config::ValidatedConfig()> load;
};

class Service {
 public:
  // Reads the configuration and listens at once; throws std::runtime_error if it cannot.
  explicit Service(ServiceOptions options);
  ~Service();

  // Serves until SIGTERM or SIGINT, and reads the configuration again at SIGHUP, at
  // POST /-/reload and when files of targets have changed: an invalid one changes nothing but the
  // metric that says so. When it stops, scrapes under way have a moment to finish, sessions are
  // closed and sockets released. A second signal ends the process at once.
  void run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
