#include "exporter/cli/check_config_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "config/loader.h"
#include "exporter/cli/vocabulary.h"
#include "exporter/web/web_front.h"

namespace pgconn::exporter {

void CheckConfig::declare(CLI::App& app) {
  app.add_subcommand("check-config",
                     "check a configuration file and exit; with --web.config.file, that one too")
      ->add_option("FILE", config_file);
}

int CheckConfig::run() const {
  try {
    if (!web_config_file.empty()) {
      for (const std::string& warning : check_web_config(web_config_file)) {
        std::cout << "warning: " << warning << '\n';
      }
      std::cout << web_config_file << ": valid\n";
    }
    if (config_file.empty()) return 0;
    const auto config = config::load_file(config_file, vocabulary());
    const std::size_t targets = config->targets.size();
    std::cout << config_file << ": valid, " << targets
              << (targets == 1 ? " target\n" : " targets\n");
    return 0;
  } catch (const std::runtime_error& error) {
    const std::string_view problem = error.what();
    std::cerr << problem << (problem.ends_with('\n') ? "" : "\n");
    return 1;
  }
}

}  // namespace pgconn::exporter
