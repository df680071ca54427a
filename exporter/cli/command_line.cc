#include "exporter/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string_view>
#include <vector>

#include "text/join.h"
#include "text/nearest_name.h"

namespace pgconn::exporter {
namespace {

std::string version_text(const BuildInfo& build) {
  return "pgconn_exporter, version " + build.version + " (revision: " + build.revision +
         ")\n  libpq:    " + build.libpq + "\n  openssl:  " + build.openssl + "\n";
}

class Parser {
 public:
  Parser() {
    app_.set_help_flag();
    app_.fallthrough();
    app_.require_subcommand(0, 1);
    // First, so that these flags have been read when a value fails.
    app_.add_flag("-h,--help", help_, "print this and exit")->group(kFlagsOfAll);
    app_.add_flag("--version", version_, "print the versions of program and libraries and exit")
        ->group(kFlagsOfAll);
    serve_.declare(app_);
    check_config_.declare(app_);
    list_.declare(app_);
    grants_.declare(app_);
    diagnose_.declare(app_);
    for (CLI::App* command : app_.get_subcommands({})) command->set_help_flag();
  }

  Command parse(std::span<const std::string> arguments, const BuildInfo& build) {
    try {
      app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ExtrasError&) {
      // --help works even beside a mistake.
      if (!help_) throw UsageError(unknown_argument(app_.remaining(true).front()));
    } catch (const CLI::ParseError& error) {
      throw UsageError(error.what());
    } catch (const UsageError&) {
      if (!help_) throw;
    }
    if (help_) return Exit{0, help_text(app_)};
    if (version_) return Exit{0, version_text(build)};
    if (app_.got_subcommand("check-config")) return checked_config();
    if (app_.got_subcommand("list")) return list_;
    if (app_.got_subcommand("grants")) return grants_;
    if (app_.got_subcommand("diagnose")) return diagnose_;
    return serve_;
  }

 private:
  CheckConfig checked_config() const {
    CheckConfig command = check_config_;
    if (command.config_file.empty()) command.config_file = serve_.config_file;
    command.web_config_file = serve_.web_config_file;
    if (command.config_file.empty() && command.web_config_file.empty()) {
      throw UsageError("check-config needs the file to check: pgconn_exporter check-config FILE");
    }
    return command;
  }

  std::vector<std::string> flags() const {
    std::vector<std::string> names;
    const auto add = [&names](const CLI::App& app) {
      for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      }
    };
    add(app_);
    for (const CLI::App* command : app_.get_subcommands({})) add(*command);
    return names;
  }

  std::string commands() const {
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands({})) names.push_back(command->get_name());
    return text::joined(names);
  }

  std::string unknown_argument(const std::string& argument) const {
    if (!argument.starts_with('-')) {
      return "unexpected argument \"" + argument + "\"; the commands are " + commands();
    }
    const std::string flag = argument.substr(0, argument.find('='));
    const std::vector<std::string> known = flags();
    const auto nearest = text::nearest_name(flag, {known.begin(), known.end()});
    if (nearest == flag) return flag + " is a flag of another command, see --help";
    return "unknown flag " + flag +
           (nearest ? "; did you mean " + std::string(*nearest) + "?" : std::string());
  }

  CLI::App app_{"pgconn_exporter watches the health of PostgreSQL connections for Prometheus."};
  Serve serve_;
  CheckConfig check_config_;
  List list_;
  Grants grants_;
  Diagnose diagnose_;
  bool help_ = false;
  bool version_ = false;
};

}  // namespace

int Exit::run() const {
  (code == 0 ? std::cout : std::cerr) << text;
  return code;
}

Command parse_command_line(std::span<const std::string> arguments, const BuildInfo& build) {
  try {
    return Parser().parse(arguments, build);
  } catch (const UsageError& error) {
    return Exit{
        2, "pgconn_exporter: " + std::string(error.what()) + "\nTry pgconn_exporter --help.\n"};
  }
}

}  // namespace pgconn::exporter
