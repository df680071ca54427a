// `pgconn_exporter grants`: the SQL for the role that the exporter logs in as. deploy/grants.sql is
// what it prints by default.
#pragma once

#include <string>

#include "exporter/cli/usage.h"

namespace pgconn::exporter {

struct Grants {
  std::string role = "pgconn";

  // Adds command and flags. Parsing fills this object, which must not move until then.
  void declare(CLI::App& app);
  // The text that is printed. Pure.
  std::string text() const;
  // Prints it and returns the exit status.
  int run() const;
};

}  // namespace pgconn::exporter
