// The command line: which command was asked for, with its flags checked. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "exporter/cli/check_config_command.h"
#include "exporter/cli/diagnose_command.h"
#include "exporter/cli/grants_command.h"
#include "exporter/cli/list_command.h"
#include "exporter/cli/serve_command.h"
#include "exporter/own_metrics/version.h"

namespace pgconn::exporter {

// The program must print `text` (to standard output if `code` is 0, else to standard error) and
// exit with `code`.
struct Exit {
  int code = 0;
  std::string text;

  int run() const;
};

// Each has run(), which does it and returns the exit status.
using Command = std::variant<Serve, CheckConfig, List, Grants, Diagnose, Exit>;

// Reads the arguments, without the program's name. Any mistake is an Exit with code 2 whose text
// says what is allowed.
Command parse_command_line(std::span<const std::string> arguments, const BuildInfo& build);

}  // namespace pgconn::exporter
