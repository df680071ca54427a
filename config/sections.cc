#include "config/sections.h"

#include <algorithm>

#include "config/schema.h"
#include "text/ascii.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kMaxLabels = 20;
constexpr std::size_t kMaxLabelBytes = 256;
constexpr std::size_t kMaxTargets = 1000;
constexpr std::size_t kMaxFiles = 100;

// Of two keys that are checked against each other, the one that this section sets. A section that
// sets neither has values that were checked before.
const YamlNode* first_given(const YamlNode& section, std::string_view key, std::string_view other) {
  const YamlNode* node = section.find(key);
  return node != nullptr ? node : section.find(other);
}

// What a target may hold at once: a session for collecting and one for finding out why a connection
// was lost, besides those of its probes.
void check_connections(const Value& section, const Target& target, Problems& problems) {
  const Probes& probes = target.probes;
  const int canaries = probes.idle.enabled ? probes.idle.canaries : 0;
  const int needed = 2 + probes.connect.enabled + probes.roundtrip.enabled + canaries +
                     probes.longquery.enabled + probes.certificate.enabled +
                     (target.server_log.from == LogOrigin::kSql ? 1 : 0);
  const int allowed = target.global.max_connections_per_target;
  if (needed <= allowed || target.name.empty()) return;  // without a name it is refused elsewhere
  const YamlNode* given = first_given(section.node, "probes", "max_connections_per_target");
  const Value at = given != nullptr ? section.child(*given) : section;
  std::string sum = "1 to collect + 1 to diagnose";
  if (probes.connect.enabled) sum += " + 1 for connect";
  if (probes.roundtrip.enabled) sum += " + 1 for roundtrip";
  if (canaries > 0) sum += " + " + std::to_string(canaries) + " for idle";
  if (probes.longquery.enabled) sum += " + 1 for longquery";
  if (probes.certificate.enabled) sum += " + 1 for certificate";
  if (target.server_log.from == LogOrigin::kSql) sum += " + 1 for server_log";
  problems.add(at.node.line, at.path,
               "target `" + target.name + "` needs " + std::to_string(needed) + " connections (" +
                   sum + "), above its max_connections_per_target of " + std::to_string(allowed) +
                   "; allowed: raise that to " + std::to_string(needed) +
                   ", use fewer canaries or switch a probe off");
}

// `item` has that name; `lines` remembers where each name was first used.
void check_unique(const std::string& what, const std::string& name, const Value& item,
                  std::map<std::string, int>& lines, Problems& problems) {
  const YamlNode& node = *item.node.find("name");
  const auto [first, inserted] = lines.emplace(name, node.line);
  if (inserted) return;
  problems.add(node.line, item.child(node).path,
               "`" + name + "` is already the name of the " + what + " on line " +
                   std::to_string(first->second) + "; allowed: a different name for each " + what);
}

// There is only one standard input. `line` remembers who reads it.
void check_stdin(const Target& target, const Value& item, int& line, Problems& problems) {
  if (target.server_log.from != LogOrigin::kStdin) return;
  const YamlNode& log = *item.node.find("server_log");
  if (line == 0) {
    line = log.line;
    return;
  }
  problems.add(log.line, item.child(log).path,
               "standard input is already read by the target on line " + std::to_string(line) +
                   "; allowed: `from: stdin` for one target");
}

void read_collector(const Value& value, ReadContext& context, Collectors& collectors) {
  const std::string& name = value.node.key;
  if (value.node.kind != YamlNode::Kind::kMapping) {
    const auto enabled = read_boolean(value, kSwitchAllowed, context.problems);
    if (enabled) collectors.enabled[name] = *enabled;
    return;
  }
  collectors.enabled[name] = true;
  const auto fields = collector_fields(name);
  read_section<Collectors>(value, kSwitchAllowed, fields, context, collectors);
}

std::optional<std::string_view> wrong_with_label(std::string_view name, const Vocabulary& known) {
  const auto letter = [](char c) { return text::is_letter(c) || c == '_'; };
  const bool valid =
      !name.empty() && name.size() <= kMaxLabelBytes && letter(name.front()) &&
      std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || text::is_digit(c); });
  if (!valid) return "is not a label name; allowed: `[a-zA-Z_][a-zA-Z0-9_]*`";
  if (name.starts_with("__")) {
    return "is a label name reserved for Prometheus; allowed: names that do not begin with `__`";
  }
  if (known.reserved_labels.contains(std::string(name))) {
    return "is a label the metrics use themselves; allowed: any other name, such as `cluster`";
  }
  return std::nullopt;
}

void read_label(const Value& value, ReadContext& context,
                std::map<std::string, std::string>& labels) {
  const std::string allowed =
      "text of 1 to " + std::to_string(kMaxLabelBytes) + " bytes, in quotes if it is a number";
  if (const auto wrong = wrong_with_label(value.node.key, context.vocabulary)) {
    context.problems.add(value.node.line, value.path, *wrong);
    return;
  }
  const auto text = read_text(value, allowed, context.problems);
  if (!text) return;
  if (text->empty() || text->size() > kMaxLabelBytes) {
    context.problems.add(
        value.node.line, value.path,
        std::string(text->empty() ? "is empty" : "is too long") + "; allowed: " + allowed);
    return;
  }
  labels[value.node.key] = *text;
}

}  // namespace

Target defaults_of(const Config& config) {
  Target target;
  target.global = config.global;
  target.collectors = config.collectors;
  target.probes = config.probes;
  target.files = config.files;
  return target;
}

std::vector<Field<Target>> all_target_fields() {
  std::vector<Field<Target>> fields(target_fields().begin(), target_fields().end());
  for (Field<Target>& field : within(&Target::global, global_fields())) {
    fields.push_back(std::move(field));
  }
  return fields;
}

Target read_target(const Value& value, ReadContext& context, Target target) {
  read_section<Target>(value, "a mapping with at least `name`", all_target_fields(), context,
                       target);
  check_offset(value, target.global, context.problems);
  check_password_source(value, context.problems);
  check_connections(value, target, context.problems);
  return target;
}

void check_offset(const Value& section, const Global& global, Problems& problems) {
  const YamlNode* given = first_given(section.node, "scrape_timeout_offset", "scrape_timeout");
  if (given == nullptr || global.scrape_timeout_offset < global.scrape_timeout) return;
  problems.add(given->line, section.child(*given).path,
               "scrape_timeout_offset (" + format_duration(global.scrape_timeout_offset) +
                   ") leaves nothing of scrape_timeout (" + format_duration(global.scrape_timeout) +
                   "); allowed: an offset below the timeout");
}

void check_password_source(const Value& target, Problems& problems) {
  std::vector<const YamlNode*> sources;
  for (const char* key : {"password_file", "password_env", "password_command"}) {
    if (const YamlNode* node = target.node.find(key)) sources.push_back(node);
  }
  if (sources.size() < 2) return;
  const int line = std::max(sources[0]->line, sources[1]->line);
  problems.add(
      line, target.path,
      "has both " + sources[0]->key + " and " + sources[1]->key + "; allowed: one of them");
}

void read_global(const Value& value, ReadContext& context, Global& global) {
  read_section<Global>(value, "a mapping of the keys of `global`", global_fields(), context,
                       global);
  check_offset(value, global, context.problems);
}

void read_collectors(const Value& value, ReadContext& context, Collectors& collectors) {
  if (!expect_mapping(value, kCollectorsAllowed, context.problems)) return;
  const std::vector<std::string_view> known(context.vocabulary.collectors.begin(),
                                            context.vocabulary.collectors.end());
  for (const YamlNode& node : value.node.children) {
    if (context.vocabulary.collectors.contains(node.key)) {
      read_collector(value.child(node), context, collectors);
    } else {
      context.problems.add(node.line, value.child(node).path,
                           unknown_name("collector", node.key, known));
    }
  }
}

void read_probes(const Value& value, ReadContext& context, Probes& probes) {
  read_section<Probes>(value, "a mapping of the keys of `probes`", probes_fields(), context,
                       probes);
}

void check_timeout(const Value& section, Duration timeout, Duration interval, Problems& problems) {
  const YamlNode* given = first_given(section.node, "timeout", "interval");
  if (given == nullptr || timeout < interval) return;
  problems.add(given->line, section.child(*given).path,
               "timeout (" + format_duration(timeout) + ") is not below interval (" +
                   format_duration(interval) + "); allowed: a timeout below the interval");
}

void check_sleep(const Value& section, const LongqueryProbe& probe, Problems& problems) {
  const YamlNode* given = section.node.find("sleep");
  if (given == nullptr) given = first_given(section.node, "interval", "timeout");
  if (given == nullptr || probe.sleep + probe.timeout < probe.interval) return;
  problems.add(given->line, section.child(*given).path,
               "sleep (" + format_duration(probe.sleep) + ") and timeout (" +
                   format_duration(probe.timeout) + ") leave nothing of interval (" +
                   format_duration(probe.interval) + "); allowed: a sum below the interval");
}

void read_files(const Value& value, ReadContext& context, std::vector<WatchedFile>& files) {
  if (!expect_list(value, kFilesAllowed, context.problems)) return;
  const std::size_t count = value.node.children.size();
  if (count > kMaxFiles) {
    context.problems.add(
        value.node.line, value.path,
        "has " + std::to_string(count) + " entries; allowed: " + std::string(kFilesAllowed));
    return;
  }
  std::map<std::string, int> lines;
  for (std::size_t i = 0; i < count; ++i) {
    const Value item = value.item(i);
    WatchedFile file;
    read_section<WatchedFile>(item, "a mapping with `name` and `path`", file_entry_fields(),
                              context, file);
    if (file.name.empty()) continue;  // refused
    check_unique("file", file.name, item, lines, context.problems);
    std::erase_if(files, [&](const WatchedFile& other) { return other.name == file.name; });
    files.push_back(std::move(file));
  }
}

void read_labels(const Value& value, ReadContext& context,
                 std::map<std::string, std::string>& labels) {
  if (!expect_mapping(value, kLabelsAllowed, context.problems)) return;
  if (value.node.children.size() > kMaxLabels) {
    context.problems.add(value.node.line, value.path,
                         "has " + std::to_string(value.node.children.size()) +
                             " labels; allowed: " + std::string(kLabelsAllowed));
    return;
  }
  for (const YamlNode& node : value.node.children) read_label(value.child(node), context, labels);
}

void read_targets(const Value& value, ReadContext& context, Config& config) {
  if (!expect_list(value, kTargetsAllowed, context.problems)) return;
  const std::size_t count = value.node.children.size();
  if (count == 0 || count > kMaxTargets) {
    context.problems.add(
        value.node.line, value.path,
        "has " + std::to_string(count) + " entries; allowed: " + std::string(kTargetsAllowed));
    return;
  }
  std::map<std::string, int> lines, states;
  int from_stdin = 0;  // the line of the target that reads it
  for (std::size_t i = 0; i < count; ++i) {
    const Value item = value.item(i);
    Target target = read_target(item, context, defaults_of(config));
    if (!target.name.empty()) {
      check_unique("target", target.name, item, lines, context.problems);
    }
    if (!target.name.empty() && !target.server_log.state_file.empty()) {
      check_unique("state file", target.server_log.state_file, item, states, context.problems);
    }
    check_stdin(target, item, from_stdin, context.problems);
    config.targets.push_back(std::move(target));
  }
}

}  // namespace pgconn::config
