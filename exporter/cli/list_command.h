// `pgconn_exporter list`: references to what the program knows, as text or Markdown.
#pragma once

#include <string>

#include "exporter/cli/usage.h"

namespace pgconn::exporter {

struct List {
  enum class Subject { kCollectors, kProbes, kMetrics, kConfiguration, kFindings };
  enum class Format { kText, kMarkdown };

  Subject subject = Subject::kCollectors;
  Format format = Format::kText;

  // Adds command and flags. Parsing fills this object, which must not move until then, and throws
  // UsageError.
  void declare(CLI::App& app);
  // The text that is printed. Pure.
  std::string text() const;
  // Prints it and returns the exit status.
  int run() const;
};

}  // namespace pgconn::exporter
