#include "exporter/cli/serve_command.h"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <stdexcept>

#include "config/loader.h"
#include "exporter/cli/vocabulary.h"
#include "exporter/log/log.h"
#include "exporter/own_metrics/version.h"
#include "exporter/service.h"
#include "text/ascii.h"

namespace pgconn::exporter {
namespace {

constexpr int kMostRequests = 256;
constexpr std::pair<std::string_view, log::Level> kLevels[] = {{"debug", log::Level::kDebug},
                                                               {"info", log::Level::kInfo},
                                                               {"warn", log::Level::kWarn},
                                                               {"error", log::Level::kError}};
constexpr std::pair<std::string_view, log::Format> kLogFormats[] = {
    {"logfmt", log::Format::kLogfmt}, {"json", log::Format::kJson}};

std::string checked_telemetry_path(const std::string& path) {
  const bool plain = std::ranges::all_of(path, [](char c) {
    return text::is_letter_or_digit(c) ||
           std::string_view("/-_.~").find(c) != std::string_view::npos;
  });
  if (!path.starts_with('/') || path.ends_with('/') || path.starts_with("/-/") || !plain) {
    throw UsageError("--web.telemetry-path \"" + path +
                     "\" is unusable; it must start with a slash, not end with one, not be below "
                     "/-/, and have only letters, digits and / - _ . ~");
  }
  return path;
}

int checked_max_requests(const std::string& text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 1 || value > kMostRequests) {
    throw UsageError("--web.max-requests \"" + text + "\" is not a number from 1 to " +
                     std::to_string(kMostRequests));
  }
  return value;
}

std::string checked_path(std::string_view flag, const std::string& path) {
  if (path.starts_with('/')) return path;
  throw UsageError(std::string(flag) + " \"" + path + "\" is not an absolute path");
}

std::vector<ListenAddress> checked_addresses(const std::vector<std::string>& texts) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    try {
      addresses.push_back(parse_listen_address(text));
    } catch (const std::invalid_argument& error) {
      throw UsageError("--web.listen-address " + std::string(error.what()));
    }
  }
  return addresses;
}

// The soft limit is often 1024, for programs that use select(): too few for three hundred targets.
void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // if refused, it stays as it was
}

// Log lines should come out, also why the program could not start; but the wait is short.
struct DrainedLog {
  DrainedLog() { log::start_queue(); }
  ~DrainedLog() { log::drain(std::chrono::seconds(1)); }
  DrainedLog(const DrainedLog&) = delete;
  DrainedLog& operator=(const DrainedLog&) = delete;
};

}  // namespace

void Serve::declare(CLI::App& app) {
  using Text = const std::string&;
  app.add_subcommand("serve", "collect and serve metrics (the default)");
  const auto add = [&app](const char* name, const char* type, std::string_view fallback,
                          const char* help, auto take) {
    app.add_option_function<std::string>(name, take, help)
        ->type_name(type)
        ->default_str(std::string(fallback))
        ->group(kFlagsOfServe);
  };
  add("--config.file", "FILE", "",
      "configuration in YAML. Without it the server that libpq's environment names (PGHOST, "
      "PGSERVICE, ~/.pgpass …) is watched.",
      [this](Text file) { config_file = file; });
  app.add_option_function<std::vector<std::string>>(
         "--web.listen-address",
         [this](const auto& texts) { listen_addresses = checked_addresses(texts); },
         "where to listen: :PORT, ADDRESS:PORT or [IPv6]:PORT. May be given several times.")
      ->allow_extra_args(false)
      ->type_name("ADDRESS")
      ->default_str(std::string(kDefaultListenAddress))
      ->group(kFlagsOfServe);
  add("--web.config.file", "FILE", "",
      "TLS, client certificates, users, headers and rate limit, in the format of Prometheus's "
      "exporters",
      [this](Text file) { web_config_file = file; });
  add("--web.telemetry-path", "PATH", telemetry_path, "where the metrics are.",
      [this](Text path) { telemetry_path = checked_telemetry_path(path); });
  add("--web.max-requests", "N", std::to_string(max_requests),
      "scrapes answered at the same time, 1 to 256; more are told to come back later.",
      [this](Text number) { max_requests = checked_max_requests(number); });
  app.add_flag("--web.enable-lifecycle", lifecycle,
               "answer POST /-/reload by reading the configuration again, as SIGHUP does.")
      ->group(kFlagsOfServe);
  add("--path.procfs", "PATH", host_paths.procfs, "where the host's /proc is, in a container.",
      [this](Text path) { host_paths.procfs = checked_path("--path.procfs", path); });
  add("--path.sysfs", "PATH", host_paths.sysfs, "where the host's /sys is.",
      [this](Text path) { host_paths.sysfs = checked_path("--path.sysfs", path); });
  add("--path.rootfs", "PATH", host_paths.rootfs, "where the host's / is.",
      [this](Text path) { host_paths.rootfs = checked_path("--path.rootfs", path); });
  add("--log.level", "LEVEL", "info", "debug, info, warn or error.",
      [this](Text level) { log_level = choose<log::Level>("--log.level", level, kLevels); });
  add("--log.format", "FORMAT", "logfmt", "logfmt or json.", [this](Text format) {
    log_format = choose<log::Format>("--log.format", format, kLogFormats);
  });
}

int Serve::run() const {
  log::configure(log_level, log_format);
  const DrainedLog drained;
  raise_open_files_limit();
  try {
    const auto load = [file = config_file] {
      return file.empty() ? config::from_environment() : config::load_file(file, vocabulary());
    };
    const BuildInfo build = build_info();
    log::write(log::Level::kInfo, "starting",
               {{"version", build.version},
                {"revision", build.revision},
                {"config", config_file.empty() ? "libpq's environment" : config_file}});
    Service service({listen_addresses, telemetry_path, max_requests, config_file, web_config_file,
                     lifecycle, host_paths, load});
    service.run();
    return 0;
  } catch (const std::exception& error) {
    log::write(log::Level::kError, "cannot start", {{"error", error.what()}});
    return 1;
  }
}

}  // namespace pgconn::exporter
