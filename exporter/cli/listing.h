// What `pgconn_exporter list` prints. Pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/descriptor.h"

namespace pgconn::exporter {

struct CollectorLine {
  std::string_view name;
  bool on_by_default = true;
  std::string_view help;
};

struct ProbeLine {
  std::string_view name;
  bool on_by_default = true;
  std::string_view help;
  std::string defaults;  // of the probe's options
};

// A group of metrics: one collector's, or the exporter's own.
struct Section {
  std::string title;
  std::string intro;  // a sentence or two, or empty
  std::vector<const metrics::Descriptor*> descriptors;
};

// A finding of the lint of settings.
struct FindingLine {
  std::string_view name, severity, when, reason;
  std::string_view fix;  // SQL; {setting} and {detail} depend on where it is found
};

// Columns of equal width, two spaces between them. Rows may have fewer cells than the first.
std::string text_table(std::span<const std::vector<std::string>> rows);

// `list collectors`.
std::string collectors_text(std::span<const CollectorLine> collectors);

// `list probes`: what each does, and its defaults below.
std::string probes_text(std::span<const ProbeLine> probes);

// `list probes --format=markdown`.
std::string probes_markdown(std::span<const ProbeLine> probes);

// `list findings`: what is found when, why it hurts, and what fixes it.
std::string findings_text(std::span<const FindingLine> findings);

// `list findings --format=markdown`.
std::string findings_markdown(std::span<const FindingLine> findings);

// `list metrics`: a line for each metric, its help below.
std::string metrics_text(std::span<const Section> sections);

// `list metrics --format=markdown`: docs/metrics.md.
std::string metrics_markdown(std::span<const Section> sections);

}  // namespace pgconn::exporter
