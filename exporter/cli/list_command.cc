#include "exporter/cli/list_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>
#include <vector>

#include "collectors/kind.h"
#include "collectors/postgres/findings.h"
#include "config/loader.h"
#include "config/schema.h"
#include "exporter/cli/listing.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/own_metrics/process_metrics.h"
#include "exporter/targets/on_demand.h"
#include "probes/certificates/metrics.h"
#include "probes/probe_metrics.h"
#include "sources/host/host_metrics.h"
#include "sources/server_log/log_families.h"

namespace pgconn::exporter {
namespace {

constexpr std::pair<std::string_view, List::Subject> kSubjects[] = {
    {"collectors", List::Subject::kCollectors},
    {"probes", List::Subject::kProbes},
    {"metrics", List::Subject::kMetrics},
    {"configuration", List::Subject::kConfiguration},
    {"findings", List::Subject::kFindings}};
constexpr std::pair<std::string_view, List::Format> kFormats[] = {
    {"text", List::Format::kText}, {"markdown", List::Format::kMarkdown}};

Section section(std::string title, std::string intro,
                std::span<const metrics::Descriptor* const> families) {
  return {std::move(title), std::move(intro), {families.begin(), families.end()}};
}

std::vector<Section> sections() {
  std::vector<Section> all;
  all.push_back(
      section("Target", "For every configured target, whatever is collected.", target_families()));
  for (const collectors::Collector* collector : collectors::all_collectors()) {
    all.push_back(section("Collector " + std::string(collector->info().name),
                          std::string(collector->info().help), collector->info().descriptors));
  }
  all.push_back(section("Probes and drops",
                        "From connections that the exporter makes and holds itself, on their own "
                        "clock. Causes: admin_terminate, server_shutdown, crash, "
                        "oom_kill, "
                        "idle_in_transaction_timeout, idle_session_timeout, transaction_timeout, "
                        "recovery_conflict, "
                        "path_idle_timeout, network_reset, network_silent, pooler_close, "
                        "pooler_server_lost, tls_error, server_unreachable, unknown. oom_kill "
                        "needs `host: true` in the target; without it such a kill is a crash.",
                        probes::families::kAll));
  all.push_back(section("Certificates",
                        "About what a server shows (source `server`) and about the files that the "
                        "configuration names.",
                        probes::certificate_families()));
  all.push_back(section("Server log",
                        "What the server's own log tells, for targets with `server_log`.",
                        server_log::families::kAll));
  all.push_back(section("Host",
                        "What the machine knows of its server, for targets with `host: true` whose "
                        "server is proven to run there.",
                        host::host_descriptors()));
  all.push_back(section("Probe",
                        "Of `/probe` alone, beside the families of a target and its collectors.",
                        on_demand_families()));
  all.push_back(section("Exporter", "About the exporter itself.", exporter_families()));
  all.push_back(section("Process", "", process_descriptors()));
  return all;
}

std::string collector_list() {
  std::vector<CollectorLine> lines;
  for (const collectors::Collector* collector : collectors::all_collectors()) {
    const collectors::CollectorInfo& info = collector->info();
    lines.push_back({info.name, info.on_by_default, info.help});
  }
  return collectors_text(lines);
}

std::string probe_list(List::Format format) {
  std::vector<ProbeLine> lines;
  for (config::ProbeReference& probe : config::probe_references()) {
    lines.push_back({probe.name, probe.on_by_default, probe.help, std::move(probe.defaults)});
  }
  return format == List::Format::kMarkdown ? probes_markdown(lines) : probes_text(lines);
}

std::string finding_list(List::Format format) {
  std::vector<FindingLine> lines;
  for (const collectors::KnownFinding& finding : collectors::known_findings()) {
    lines.push_back(
        {finding.name, to_string(finding.severity), finding.when, finding.reason, finding.fix});
  }
  return format == List::Format::kMarkdown ? findings_markdown(lines) : findings_text(lines);
}

}  // namespace

void List::declare(CLI::App& app) {
  CLI::App* const list = app.add_subcommand(
      "list", "print a reference: collectors, probes, metrics, configuration or findings");
  const auto take = [this](const std::string& name) {
    subject = choose<Subject>("list", name, kSubjects);
  };
  CLI::Option* const positional = list->add_option_function<std::string>("SUBJECT", take);
  list->add_option_function<std::string>(
          "--format",
          [this](const std::string& name) { format = choose<Format>("--format", name, kFormats); },
          "text or markdown, for probes, metrics and findings.")
      ->type_name("FORMAT")
      ->default_str("text")
      ->group("Flags of list");
  list->callback([positional, take] {
    if (positional->count() == 0) take("");
  });
}

int List::run() const {
  const std::string printed = text();
  std::cout << printed << (printed.ends_with('\n') ? "" : "\n");
  return 0;
}

std::string List::text() const {
  switch (subject) {
    case Subject::kCollectors:
      return collector_list();
    case Subject::kProbes:
      return probe_list(format);
    case Subject::kMetrics:
      return format == List::Format::kMarkdown ? metrics_markdown(sections())
                                               : metrics_text(sections());
    case Subject::kConfiguration:
      return config::reference_markdown();
    case Subject::kFindings:
      return finding_list(format);
  }
  return "";
}

}  // namespace pgconn::exporter
