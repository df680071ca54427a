// `pgconn_exporter check-config`: are these files what the exporter would start with?
#pragma once

#include <string>

#include "exporter/cli/usage.h"

namespace pgconn::exporter {

struct CheckConfig {
  std::string config_file;
  std::string web_config_file;

  // Adds the command. Parsing fills this object, which must not move until then.
  void declare(CLI::App& app);
  // Prints what is right and wrong with the files: the exit status.
  int run() const;
};

}  // namespace pgconn::exporter
