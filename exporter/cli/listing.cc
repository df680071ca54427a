#include "exporter/cli/listing.h"

#include <algorithm>

namespace pgconn::exporter {
namespace {

std::string_view type_name(metrics::Type type) {
  switch (type) {
    case metrics::Type::kGauge:
      return "gauge";
    case metrics::Type::kCounter:
      return "counter";
    case metrics::Type::kInfo:
      return "info";
    case metrics::Type::kHistogram:
      return "histogram";
  }
  return "gauge";
}

// The names, each in `quote`s, separated by `between`.
std::string label_list(const metrics::Descriptor& descriptor, std::string_view quote,
                       std::string_view between) {
  std::string list;
  for (const std::string_view label : descriptor.labels()) {
    if (!list.empty()) list += between;
    list.append(quote).append(label).append(quote);
  }
  return list;
}

// Characters that end a table cell or begin markup in Markdown.
std::string markdown_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (std::string_view("|<>*_[]\\").find(c) != std::string_view::npos) cell.push_back('\\');
    cell.push_back(c);
  }
  return cell;
}

}  // namespace

std::string text_table(std::span<const std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      table += row[i];
      if (i + 1 < row.size()) table.append(widths[i] - row[i].size() + 2, ' ');
    }
    table += "\n";
  }
  return table;
}

std::string collectors_text(std::span<const CollectorLine> collectors) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "DEFAULT", "WHAT IT REPORTS"}};
  for (const CollectorLine& collector : collectors) {
    rows.push_back({std::string(collector.name), collector.on_by_default ? "on" : "off",
                    std::string(collector.help)});
  }
  return text_table(rows);
}

std::string probes_text(std::span<const ProbeLine> probes) {
  std::string text;
  for (const ProbeLine& probe : probes) {
    if (!text.empty()) text += "\n";
    text.append(probe.name).append(probe.on_by_default ? "  on\n" : "  off\n");
    text.append("    ").append(probe.help).append("\n");
    text.append("    defaults: ").append(probe.defaults).append("\n");
  }
  return text;
}

std::string probes_markdown(std::span<const ProbeLine> probes) {
  std::string text =
      "<!-- Written by `pgconn_exporter list probes --format=markdown`. Do not edit. -->\n\n"
      "# Probes\n\n"
      "| probe | by default | what it does | its defaults |\n|---|---|---|---|\n";
  for (const ProbeLine& probe : probes) {
    text.append("| `").append(probe.name).append(probe.on_by_default ? "` | on" : "` | off");
    text.append(" | ").append(markdown_cell(probe.help));
    text.append(" | ").append(markdown_cell(probe.defaults)).append(" |\n");
  }
  return text;
}

std::string findings_text(std::span<const FindingLine> findings) {
  std::string text =
      "In a fix, {setting} stands for ALTER SYSTEM SET, ALTER ROLE … SET or ALTER DATABASE … SET,\n"
      "depending on where it was found, and {detail} for what was found.\n";
  for (const FindingLine& finding : findings) {
    text.append("\n").append(finding.name).append("  ").append(finding.severity).append("\n");
    text.append("    when  ").append(finding.when).append("\n");
    text.append("    why   ").append(finding.reason).append("\n");
    text.append("    fix   ").append(finding.fix).append("\n");
  }
  return text;
}

std::string findings_markdown(std::span<const FindingLine> findings) {
  std::string text =
      "<!-- Written by `pgconn_exporter list findings --format=markdown`. Do not edit. -->\n\n"
      "# Findings\n\n"
      "In a fix, `{setting}` stands for `ALTER SYSTEM SET`, `ALTER ROLE … SET` or "
      "`ALTER DATABASE … SET`,\ndepending on where it was found, and `{detail}` for what was "
      "found.\n\n"
      "| finding | severity | when | why | fix |\n|---|---|---|---|---|\n";
  for (const FindingLine& finding : findings) {
    text.append("| `").append(finding.name).append("` | ").append(finding.severity);
    text.append(" | ").append(markdown_cell(finding.when));
    text.append(" | ").append(markdown_cell(finding.reason));
    text.append(" | `").append(finding.fix).append("` |\n");
  }
  return text;
}

std::string metrics_text(std::span<const Section> sections) {
  std::string text;
  for (const Section& section : sections) {
    text += (text.empty() ? "" : "\n") + section.title + "\n";
    if (!section.intro.empty()) text += section.intro + "\n";
    for (const metrics::Descriptor* descriptor : section.descriptors) {
      text.append("\n  ").append(descriptor->name);
      if (descriptor->label_count > 0) text += "{" + label_list(*descriptor, "", ",") + "}";
      text.append("  ").append(type_name(descriptor->type)).append("\n");
      text.append("      ").append(descriptor->help).append("\n");
    }
  }
  return text;
}

std::string metrics_markdown(std::span<const Section> sections) {
  std::string text =
      "<!-- Written by `pgconn_exporter list metrics --format=markdown`. Do not edit. -->\n\n"
      "# Metrics\n\n"
      "Every series of a target also carries `target`, its configured name, and the labels "
      "configured for it.\nAn *info* metric is a gauge that is always 1: its labels are the "
      "facts.\n";
  for (const Section& section : sections) {
    text += "\n## " + markdown_cell(section.title) + "\n\n";
    if (!section.intro.empty()) text += section.intro + "\n\n";
    text += "| metric | type | labels | meaning |\n|---|---|---|---|\n";
    for (const metrics::Descriptor* descriptor : section.descriptors) {
      text.append("| `").append(descriptor->name).append("` | ");
      text.append(type_name(descriptor->type)).append(" | ");
      text.append(label_list(*descriptor, "`", ", "))
          .append(descriptor->label_count > 0 ? " " : "");
      text.append("| ").append(markdown_cell(descriptor->help)).append(" |\n");
    }
  }
  return text;
}

}  // namespace pgconn::exporter
