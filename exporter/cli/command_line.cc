#include "exporter/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "config/suggestion.h"

namespace pgconn::exporter {
namespace {

constexpr int kMostRequests = 256;

constexpr std::string_view kUsage =
    R"(pgconn_exporter watches the health of PostgreSQL connections for Prometheus.

Usage:
  pgconn_exporter [serve] [flags]        collect and serve metrics (the default)
  pgconn_exporter check-config FILE      check a configuration file and exit;
                                         with --web.config.file that one too
  pgconn_exporter list SUBJECT [flags]   print a reference: collectors, probes,
                                         metrics, configuration or findings

Flags of serve:
  --config.file=FILE            configuration in YAML. Without it the server that
                                libpq's environment names (PGHOST, PGSERVICE,
                                ~/.pgpass …) is watched.
  --web.listen-address=ADDRESS  where to listen: :PORT, ADDRESS:PORT or
                                [IPv6]:PORT. May be given several times.
                                Default: :10187
  --web.config.file=FILE        TLS, client certificates, users, headers and rate
                                limit, in the format of Prometheus's exporters
  --web.telemetry-path=PATH     where the metrics are. Default: /metrics
  --web.max-requests=N          scrapes answered at the same time, 1 to 256; more
                                are told to come back later. Default: 40
  --log.level=LEVEL             debug, info, warn or error. Default: info
  --log.format=FORMAT           logfmt or json. Default: logfmt

Flags of list:
  --format=FORMAT               text or markdown, for probes, metrics and
                                findings. Default: text

Flags of all:
  -h, --help                    print this and exit
  --version                     print the versions of program and libraries, exit
)";

constexpr std::string_view kFlags[] = {"--config.file",
                                       "--web.listen-address",
                                       "--web.config.file",
                                       "--web.telemetry-path",
                                       "--web.max-requests",
                                       "--log.level",
                                       "--log.format",
                                       "--format",
                                       "--help",
                                       "--version"};

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename Value>
using Choices = std::span<const std::pair<std::string_view, Value>>;

constexpr std::pair<std::string_view, log::Level> kLevels[] = {{"debug", log::Level::kDebug},
                                                               {"info", log::Level::kInfo},
                                                               {"warn", log::Level::kWarn},
                                                               {"error", log::Level::kError}};
constexpr std::pair<std::string_view, log::Format> kLogFormats[] = {
    {"logfmt", log::Format::kLogfmt}, {"json", log::Format::kJson}};
constexpr std::pair<std::string_view, CommandLine::Subject> kSubjects[] = {
    {"collectors", CommandLine::Subject::kCollectors},
    {"probes", CommandLine::Subject::kProbes},
    {"metrics", CommandLine::Subject::kMetrics},
    {"configuration", CommandLine::Subject::kConfiguration},
    {"findings", CommandLine::Subject::kFindings}};
constexpr std::pair<std::string_view, CommandLine::ListFormat> kListFormats[] = {
    {"text", CommandLine::ListFormat::kText}, {"markdown", CommandLine::ListFormat::kMarkdown}};

template <typename Value>
Value choose(std::string_view what, const std::string& given, Choices<Value> choices) {
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (name == given) return value;
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  const std::string problem = given.empty() ? " needs a value" : " \"" + given + "\" is unknown";
  throw UsageError(std::string(what) + problem + "; allowed: " + allowed);
}

std::string unknown_argument(const std::string& argument) {
  if (!argument.starts_with('-')) {
    return "unexpected argument \"" + argument + "\"; commands are serve, check-config and list";
  }
  const std::string flag = argument.substr(0, argument.find('='));
  const auto nearest = config::nearest_name(flag, {std::begin(kFlags), std::end(kFlags)});
  if (nearest == flag) return flag + " is a flag of list alone";
  std::string text = "unknown flag " + flag;
  if (nearest) text += "; did you mean " + std::string(*nearest) + "?";
  return text;
}

std::string checked_telemetry_path(const std::string& path) {
  const bool plain = std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
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
    throw UsageError("--web.max-requests \"" + text + "\" is no number from 1 to " +
                     std::to_string(kMostRequests));
  }
  return value;
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

std::string version_text(const BuildInfo& build) {
  return "pgconn_exporter, version " + build.version + " (revision: " + build.revision +
         ")\n  libpq:    " + build.libpq + "\n  openssl:  " + build.openssl + "\n";
}

// The arguments as CLI11 takes them apart, before any value is looked at.
class Parser {
 public:
  Parser() {
    app_.set_help_flag();
    app_.fallthrough();
    app_.require_subcommand(0, 1);
    app_.add_flag("-h,--help", help_);
    app_.add_flag("--version", version_);
    app_.add_option("--config.file", config_file_);
    app_.add_option("--web.listen-address", addresses_)->allow_extra_args(false);
    app_.add_option("--web.config.file", web_config_file_);
    app_.add_option("--web.telemetry-path", telemetry_path_);
    app_.add_option("--web.max-requests", max_requests_);
    app_.add_option("--log.level", log_level_);
    app_.add_option("--log.format", log_format_);
    app_.add_subcommand("serve");
    check_config_ = app_.add_subcommand("check-config");
    check_config_->add_option("FILE", checked_file_);
    list_ = app_.add_subcommand("list");
    list_->add_option("SUBJECT", subject_);
    list_->add_option("--format", list_format_);
    for (CLI::App* command : app_.get_subcommands({})) command->set_help_flag();
  }

  std::variant<CommandLine, Exit> parse(std::span<const std::string> arguments,
                                        const BuildInfo& build) {
    try {
      app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ExtrasError&) {
      // Help is owed even to those who wrote it beside a mistake.
      if (!help_) throw UsageError(unknown_argument(first_unknown()));
    } catch (const CLI::ParseError& error) {
      throw UsageError(error.what());
    }
    if (help_) return Exit{0, std::string(kUsage)};
    if (version_) return Exit{0, version_text(build)};
    return checked();
  }

 private:
  std::string first_unknown() const {
    const std::vector<std::string> unknown = app_.remaining(true);
    return unknown.empty() ? "" : unknown.front();
  }

  CommandLine checked() const {
    CommandLine line;
    line.config_file = config_file_;
    line.web_config_file = web_config_file_;
    line.listen_addresses = checked_addresses(addresses_);
    line.telemetry_path = checked_telemetry_path(telemetry_path_);
    line.max_requests = checked_max_requests(max_requests_);
    line.log_level = choose<log::Level>("--log.level", log_level_, kLevels);
    line.log_format = choose<log::Format>("--log.format", log_format_, kLogFormats);
    if (check_config_->parsed()) {
      line.command = CommandLine::Command::kCheckConfig;
      if (!checked_file_.empty()) line.config_file = checked_file_;
      if (line.config_file.empty() && line.web_config_file.empty()) {
        throw UsageError("check-config needs the file to check: pgconn_exporter check-config FILE");
      }
    }
    if (list_->parsed()) {
      line.command = CommandLine::Command::kList;
      line.subject = choose<CommandLine::Subject>("list", subject_, kSubjects);
      line.list_format = choose<CommandLine::ListFormat>("--format", list_format_, kListFormats);
    }
    return line;
  }

  CLI::App app_;
  CLI::App* check_config_ = nullptr;
  CLI::App* list_ = nullptr;
  bool help_ = false;
  bool version_ = false;
  std::string config_file_;
  std::string web_config_file_;
  std::vector<std::string> addresses_{std::string(kDefaultListenAddress)};
  std::string telemetry_path_ = "/metrics";
  std::string max_requests_ = "40";
  std::string log_level_ = "info";
  std::string log_format_ = "logfmt";
  std::string checked_file_;
  std::string subject_;
  std::string list_format_ = "text";
};

}  // namespace

std::variant<CommandLine, Exit> parse_command_line(std::span<const std::string> arguments,
                                                   const BuildInfo& build) {
  try {
    return Parser().parse(arguments, build);
  } catch (const UsageError& error) {
    return Exit{
        2, "pgconn_exporter: " + std::string(error.what()) + "\nTry pgconn_exporter --help.\n"};
  }
}

}  // namespace pgconn::exporter
