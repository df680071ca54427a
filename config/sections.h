// Reads the sections whose keys are not all fixed (collectors, labels) or that repeat (targets),
// and checks values against each other. Used by the schema's tables; one thread
// per context.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/field.h"

namespace pgconn::config {

inline constexpr std::string_view kSwitchAllowed =
    "true, false or a mapping of its options ({} is on)";
inline constexpr std::string_view kCollectorsAllowed = "a mapping from collectors to their options";
inline constexpr std::string_view kLabelsAllowed =
    "a mapping of up to 20 names `[a-zA-Z_][a-zA-Z0-9_]*` to text";
inline constexpr std::string_view kFilesAllowed =
    "a list of up to 100 mappings with `name` and `path`";
inline constexpr std::string_view kTargetsAllowed = "a list of 1 to 1000 targets";
inline constexpr std::string_view kTargetFilesAllowed =
    "a list of 1 to 100 mappings with at least `files`";
inline constexpr std::string_view kAuthModulesAllowed =
    "a mapping of 1 to 100 names `[A-Za-z0-9_.:-]` to modules";

// The `global` section.
void read_global(const Value& value, ReadContext& context, Global& global);

// `collectors`, of the file or of a target: changes what it names, leaves the rest as it is.
void read_collectors(const Value& value, ReadContext& context, Collectors& collectors);

// `probes`, of the file or of a target: the same.
void read_probes(const Value& value, ReadContext& context, Probes& probes);

// A run must end before the next one begins. `section` is the probe's own.
void check_timeout(const Value& section, Duration timeout, Duration interval, Problems& problems);
void check_sleep(const Value& section, const LongqueryProbe& probe, Problems& problems);

// `files`, of the file or of a target: adds entries; one of the same name replaces the other.
void read_files(const Value& value, ReadContext& context, std::vector<WatchedFile>& files);

// `server_log` of a target.
void read_server_log(const Value& value, ReadContext& context, ServerLog& server_log);

void read_labels(const Value& value, ReadContext& context,
                 std::map<std::string, std::string>& labels);

// A timeout must leave something after its offset; a password has one source.
void check_offset(const Value& section, const Global& global, Problems& problems);
void check_password_source(const Value& target, Problems& problems);

// `auth_modules`. Each starts from the file's other sections, which must have been read.
void read_auth_modules(const Value& value, ReadContext& context, Config& config);

// What the targets of a configuration start from.
Target defaults_of(const Config& config);

// A target's own keys and those of `global`.
std::vector<Field<Target>> all_target_fields();

// One target, which starts from `defaults`.
Target read_target(const Value& value, ReadContext& context, Target defaults);

// `target_files`. Each starts from the file's other sections, which must have been read.
void read_target_files(const Value& value, ReadContext& context, Config& config);

// Reads the files that `target_files` names now, and adds their targets. Throws ConfigError.
void add_targets_of_files(Config& config, const Vocabulary& vocabulary);

// `targets`. Each starts from the file's other sections, which must have been read.
void read_targets(const Value& value, ReadContext& context, Config& config);

}  // namespace pgconn::config
