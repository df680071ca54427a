#include "exporter/targets/target_settings.h"

#include <algorithm>

#include "config/loader.h"

namespace pgconn::exporter {
namespace {

bool has_password(const config::Target& target, const postgres::ConnInfo& conninfo) {
  return conninfo.has_password() || !target.password_file.empty() || !target.password_env.empty() ||
         !target.password_command.empty();
}

postgres::ConnInfo parsed(const config::Target& target) {
  postgres::ConnInfo conninfo = postgres::ConnInfo::parse(target.dsn);
  if (target.own_password_only) conninfo.forget_password();
  return conninfo;
}

}  // namespace

const collectors::TargetKind& kind_of(const config::Target& target) {
  switch (target.kind) {
    case config::Kind::kPostgres:
      break;
  }
  return collectors::postgres_kind();
}

std::set<std::string> enabled_collectors(const collectors::TargetKind& kind,
                                         const config::Collectors& config) {
  std::set<std::string> names;
  for (const collectors::Collector* collector : kind.collectors) {
    const std::string name(collector->info().name);
    const auto found = config.enabled.find(name);
    if (found == config.enabled.end() ? collector->info().on_by_default : found->second) {
      names.insert(name);
    }
  }
  return names;
}

collectors::Options options_of(const config::Target& config,
                               const std::optional<postgres::ConnInfo>& conninfo) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  collectors::Options options;
  options.ages.clear();
  for (const config::Duration age : config.collectors.sessions.ages) {
    options.ages.push_back(duration_cast<seconds>(age));
  }
  options.blocking_traced = config.collectors.blocking.traced;
  options.by_client = config.collectors.sessions.by_client;
  options.keepalive_budget = duration_cast<seconds>(config.collectors.settings.keepalive_budget);
  options.path_idle_limit = config.path_idle_limit;
  options.password_exposed =
      conninfo && has_password(config, *conninfo) && conninfo->trusts_whoever_answers();
  return options;
}

collectors::Options with_measured(collectors::Options options,
                                  std::optional<std::chrono::milliseconds> path_idle_limit) {
  auto& known = options.path_idle_limit;
  if (path_idle_limit) known = std::min(known.value_or(*path_idle_limit), *path_idle_limit);
  return options;
}

std::optional<postgres::ConnInfo> place_of(const config::Target& target, std::string& refused) {
  try {
    return parsed(target);
  } catch (const postgres::PgError& error) {
    refused = error.what();
    return std::nullopt;
  }
}

// Called again for each session, so that a changed password file takes effect.
postgres::ConnInfo conninfo_of(const config::Target& target) {
  try {
    postgres::ConnInfo conninfo = parsed(target);
    if (auto password = config::read_password(target)) conninfo.set_password(std::move(*password));
    return conninfo;
  } catch (const config::ConfigError& error) {
    throw postgres::PgError(postgres::Phase::kConfig, postgres::Reason::kConfig, "", error.what(),
                            true);
  }
}

probes::ProbeSettings probe_settings(const config::Target& target) {
  const config::Probes& config = target.probes;
  const auto pace = [](const auto& probe) {
    return probes::Pace{probe.enabled, probe.interval, probe.timeout};
  };
  probes::CertificateSettings certificate;
  certificate.pace = pace(config.certificate);
  certificate.dsn = target.dsn;
  certificate.roots = config.certificate.roots;
  certificate.direct_tls = config.certificate.direct_tls;
  for (const config::WatchedFile& file : target.files) {
    certificate.files.push_back({file.name, file.path});
  }
  return {
      .connect = pace(config.connect),
      .roundtrip = pace(config.roundtrip),
      .idle = {config.idle.enabled, config.idle.ladder, config.idle.canaries, config.idle.timeout},
      .longquery = {pace(config.longquery), config.longquery.sleep},
      .certificate = std::move(certificate),
      .buckets = config.duration_buckets};
}

}  // namespace pgconn::exporter
