// `pgconn_exporter check-config`: would the exporter start with these files?
#pragma once

#include <string>

#include "exporter/cli/usage.h"

namespace pgconn::exporter {

struct CheckConfig {
  std::string config_file;
  std::string web_config_file;

  // Adds the command. Parsing fills this object, which must not move until then.
  void declare(CLI::App& app);
  // Prints whether the files are valid and what is wrong; returns the exit status.
  int run() const;
};

}  // namespace pgconn::exporter
