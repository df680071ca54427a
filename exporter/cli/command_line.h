// The command line: what the operator asked for, checked. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "exporter/log/log_format.h"
#include "exporter/own_metrics/version.h"
#include "exporter/web/listen_address.h"

namespace pgconn::exporter {

// Beyond 9100–9999, which the list of ports that exporters agreed on has used up; one step above
// 9187, where a general PostgreSQL exporter listens.
inline constexpr std::string_view kDefaultListenAddress = ":10187";

struct CommandLine {
  enum class Command { kServe, kCheckConfig, kList };
  enum class Subject { kCollectors, kProbes, kMetrics, kConfiguration, kFindings };
  enum class ListFormat { kText, kMarkdown };

  Command command = Command::kServe;
  std::string config_file;                      // empty: none, libpq's environment names the server
  std::string web_config_file;                  // empty: plain HTTP for everybody
  std::vector<ListenAddress> listen_addresses;  // at least one
  std::string telemetry_path = "/metrics";
  int max_requests = 40;  // scrapes answered at the same time
  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kLogfmt;
  Subject subject = Subject::kCollectors;      // of kList
  ListFormat list_format = ListFormat::kText;  // of kList
};

// The program is to print `text` (to standard output if `code` is 0, else to standard error) and
// exit with `code`.
struct Exit {
  int code = 0;
  std::string text;
};

// Reads the arguments, the program's name not among them. Whatever is wrong is an Exit with code 2
// whose text says what is allowed.
std::variant<CommandLine, Exit> parse_command_line(std::span<const std::string> arguments,
                                                   const BuildInfo& build);

}  // namespace pgconn::exporter
