// `pgconn_exporter diagnose CONNINFO`: looks at a server once and prints what is wrong with its
// connections, for a person at night.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "exporter/cli/usage.h"

namespace pgconn::exporter {

struct Diagnose {
  std::string conninfo;                       // empty: the server of libpq's environment
  std::optional<std::chrono::seconds> watch;  // also holds connections for so long
  bool json = false;

  // Adds command and flags. Parsing fills this object, which must not move until then, and throws
  // UsageError.
  void declare(CLI::App& app);
  // Prints the diagnosis and returns the exit status: see exit_status().
  int run() const;
};

}  // namespace pgconn::exporter
