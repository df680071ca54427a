// The running exporter: the I/O thread with the fleet of targets, and the HTTP pages on top. The
// one crossing between HTTP workers and the I/O thread is in service.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/loader.h"
#include "exporter/listen_address.h"

namespace pgconn::exporter {

struct ServiceOptions {
  std::vector<ListenAddress> listen_addresses;
  std::string telemetry_path = "/metrics";
  int max_requests = 16;    // scrapes at once; more are answered with 503
  std::string config_file;  // empty: none, the server of libpq's environment is watched
};

class Service {
 public:
  // Listens at once; throws std::runtime_error if it cannot.
  Service(const config::ValidatedConfig& config, ServiceOptions options);
  ~Service();

  // Serves until SIGTERM or SIGINT, then stops: scrapes under way may finish for a moment, sessions
  // are closed, sockets released. A second signal ends the process at once.
  void run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgconn::exporter
