#include "exporter/cli/catalogue.h"

#include "collectors/builtin.h"
#include "collectors/findings.h"
#include "config/loader.h"
#include "config/schema.h"
#include "exporter/cli/listing.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/own_metrics/process_metrics.h"
#include "probes/certificates/metrics.h"
#include "probes/probe_metrics.h"

namespace pgconn::exporter {
namespace {

Section section(std::string title, std::string intro,
                std::span<const metrics::Descriptor* const> families) {
  return {std::move(title), std::move(intro), {families.begin(), families.end()}};
}

std::vector<Section> sections() {
  std::vector<Section> all;
  all.push_back(
      section("Target", "Of every configured target, whatever is collected.", target_families()));
  for (const collectors::Collector* collector : collectors::builtin()) {
    all.push_back(section("Collector " + std::string(collector->info().name),
                          std::string(collector->info().help), collector->info().descriptors));
  }
  all.push_back(section("Probes and drops",
                        "From connections that the exporter makes and holds itself, on their own "
                        "clock. Causes: admin_terminate, server_shutdown, crash, "
                        "oom_kill, "
                        "idle_in_transaction_timeout, idle_session_timeout, transaction_timeout, "
                        "path_idle_timeout, network_reset, network_silent, pooler_close, "
                        "pooler_server_lost, tls_error, server_unreachable, unknown. oom_kill "
                        "cannot occur yet: this release reads no OOM "
                        "counter and says crash.",
                        probes::families::kAll));
  all.push_back(section("Certificates",
                        "Of what a server shows (source `server`) and of the files that the "
                        "configuration names.",
                        probes::certificate_families()));
  all.push_back(section("Exporter", "Of the exporter itself.", exporter_families()));
  all.push_back(section("Process", "", process_descriptors()));
  return all;
}

std::string collector_list() {
  std::vector<CollectorLine> lines;
  for (const collectors::Collector* collector : collectors::builtin()) {
    const collectors::CollectorInfo& info = collector->info();
    lines.push_back({info.name, info.on_by_default, info.help});
  }
  return collectors_text(lines);
}

std::string probe_list(CommandLine::ListFormat format) {
  std::vector<ProbeLine> lines;
  for (config::ProbeReference& probe : config::probe_references()) {
    lines.push_back({probe.name, probe.on_by_default, probe.help, std::move(probe.defaults)});
  }
  return format == CommandLine::ListFormat::kMarkdown ? probes_markdown(lines) : probes_text(lines);
}

std::string finding_list(CommandLine::ListFormat format) {
  std::vector<FindingLine> lines;
  for (const collectors::KnownFinding& finding : collectors::known_findings()) {
    lines.push_back(
        {finding.name, to_string(finding.severity), finding.when, finding.reason, finding.fix});
  }
  return format == CommandLine::ListFormat::kMarkdown ? findings_markdown(lines)
                                                      : findings_text(lines);
}

}  // namespace

std::string catalogue(CommandLine::Subject subject, CommandLine::ListFormat format) {
  switch (subject) {
    case CommandLine::Subject::kCollectors:
      return collector_list();
    case CommandLine::Subject::kProbes:
      return probe_list(format);
    case CommandLine::Subject::kMetrics:
      return format == CommandLine::ListFormat::kMarkdown ? metrics_markdown(sections())
                                                          : metrics_text(sections());
    case CommandLine::Subject::kConfiguration:
      return config::reference_markdown();
    case CommandLine::Subject::kFindings:
      return finding_list(format);
  }
  return "";
}

}  // namespace pgconn::exporter
