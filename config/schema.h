// Every key of the configuration file, once: type, range, default, meaning. The loader uses these
// tables, and docs/configuration.md is printed from them. The tables live as long as the process
// and never change; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/field.h"

namespace pgconn::config {

// The file itself: `global`, `collectors`, `probes`, `files`, `targets`, `target_files`,
// `auth_modules`, in the order in which they must be read, since targets start from the values of
// the others.
std::span<const Field<Config>> file_fields();

std::span<const Field<Global>> global_fields();

// A target's own keys; it also takes every key of `global`.
std::span<const Field<Target>> target_fields();

// What `collectors.NAME` takes as a mapping: `enabled` and that collector's own options.
std::vector<Field<Collectors>> collector_fields(std::string_view name);

// Names of the collectors that have options of their own.
std::vector<std::string_view> configurable_collectors();

// The section `probes`, and what each probe takes as a mapping.
std::span<const Field<Probes>> probes_fields();
std::span<const Field<Probe>> connect_fields();
std::span<const Field<Probe>> roundtrip_fields();
std::span<const Field<IdleProbe>> idle_fields();
std::span<const Field<LongqueryProbe>> longquery_fields();
std::span<const Field<CertificateProbe>> certificate_fields();

// A probe as those tables describe it.
struct ProbeReference {
  std::string_view name;
  std::string_view help;
  bool on_by_default = true;
  std::string defaults;  // of the options that have one: "interval 15s, timeout 5s"
};
std::vector<ProbeReference> probe_references();

// `server_log` of a target.
std::span<const Field<ServerLog>> server_log_fields();

// A module of `auth_modules`; it also takes every key of `global`.
std::span<const Field<AuthModule>> auth_module_fields();

// An entry of `target_files`; it also takes the keys of a target, but for `name`.
std::span<const Field<TargetFiles>> target_files_fields();

// An entry of `files`.
std::span<const Field<WatchedFile>> file_entry_fields();

}  // namespace pgconn::config
