// `pgconn_exporter serve`, also the default when no command is named: collects and serves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/cli/usage.h"
#include "exporter/log/log_format.h"
#include "exporter/web/listen_address.h"
#include "sources/host/host_reader.h"

namespace pgconn::exporter {

// Above 9100–9999, which the shared list of exporters' ports has used up; one step above 9187,
// where a general PostgreSQL exporter listens.
inline constexpr std::string_view kDefaultListenAddress = ":10187";

struct Serve {
  std::string config_file;      // empty: none, libpq's environment names the server
  std::string web_config_file;  // empty: plain HTTP without logins
  std::vector<ListenAddress> listen_addresses{parse_listen_address(kDefaultListenAddress)};
  std::string telemetry_path = "/metrics";
  host::HostPaths host_paths;  // of the file systems of the machine that servers run on
  int max_requests = 40;       // scrapes answered at the same time
  bool lifecycle = false;      // whether POST /-/reload is answered
  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kLogfmt;

  // Adds command and flags. Parsing fills this object, which must not move until then, and throws
  // UsageError.
  void declare(CLI::App& app);
  // Serves until a signal ends it; returns the exit status. Errors are in the log.
  int run() const;
};

}  // namespace pgconn::exporter
