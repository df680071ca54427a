// `target_files`: files of targets that come and go, in our own form (`targets:` as in the
// configuration) or in that of Prometheus's file_sd (groups of addresses with labels).
#include <algorithm>
#include <map>

#include "config/schema.h"
#include "config/sections.h"
#include "config/text_rules.h"
#include "config/yaml_document.h"
#include "files/matching_files.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kMostEntries = 100;
constexpr std::size_t kMostPatterns = 100;
constexpr std::size_t kMostTargets = 10'000;
constexpr std::string_view kPatternsAllowed =
    "a list of 1 to 100 absolute paths, which may have `*`";
constexpr TextRule kPattern = {kPatternsAllowed, is_absolute_path};
constexpr std::string_view kEntryAllowed = "a mapping with at least `files`";
constexpr std::string_view kGroupAllowed = "a mapping with `targets` and possibly `labels`";
constexpr std::string_view kAddressAllowed = "HOST[:PORT][/DATABASE]";
constexpr std::string_view kFormAllowed =
    "`targets:` with a list of targets, or a list of groups with `targets` and `labels` as "
    "Prometheus's file_sd has it";
constexpr std::string_view kEmpty =
    "the file is empty, perhaps not written yet; `[]` says that there are no targets";

void read_patterns(const Value& value, ReadContext& context, TargetFiles& entry) {
  entry.patterns = read_texts(value, kPatternsAllowed, kMostPatterns, kPattern, context.problems);
}

TargetFiles read_entry(const Value& value, ReadContext& context, const Config& config) {
  TargetFiles entry;
  entry.defaults = defaults_of(config);
  std::vector<Field<TargetFiles>> fields(target_files_fields().begin(),
                                         target_files_fields().end());
  const std::vector<Field<Target>> of_target = all_target_fields();
  for (Field<TargetFiles>& field :
       within(&TargetFiles::defaults, std::span<const Field<Target>>(of_target))) {
    // Nothing that must differ from target to target.
    if (field.key != "name" && field.key != "server_log") fields.push_back(std::move(field));
  }
  // `files` of a target is another key than that of an entry.
  for (std::size_t i = fields.size() - 1; i > 0; --i) {
    if (fields[i].key == "files") fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
  }
  read_section<TargetFiles>(value, kEntryAllowed, fields, context, entry);
  if (value.node.kind != YamlNode::Kind::kMapping) return entry;
  check_offset(value, entry.defaults.global, context.problems);
  check_password_source(value, context.problems);
  return entry;
}

// The labels that Prometheus's own discovery uses: its job and address, and what it does not keep.
bool is_prometheus_own(std::string_view label) {
  return label.starts_with("__") || label == "job" || label == "instance";
}

// The targets of one file.
class FileReader {
 public:
  FileReader(const TargetFiles& entry, const std::string& path, const Vocabulary& vocabulary)
      : entry_(entry), path_(path), problems_(path), context_{vocabulary, problems_} {}

  // With the line of each.
  std::vector<std::pair<int, Target>> read() {
    const std::string content = read_configuration(path_);
    const YamlNode root = parse_document(content, problems_, kEmpty);
    const Value value{root, ""};
    if (root.kind == YamlNode::Kind::kList) {
      for (std::size_t i = 0; i < root.children.size(); ++i) read_group(value.item(i));
    } else {
      read_own_form(value);
    }
    problems_.throw_if_any();
    return std::move(targets_);
  }

 private:
  void read_own_form(const Value& value) {
    if (!expect_mapping(value, kFormAllowed, problems_)) return;
    for (const YamlNode& node : value.node.children) {
      const Value child = value.child(node);
      if (node.key != "targets") {
        problems_.add(node.line, child.path, unknown_name("key", node.key, {"targets"}));
      } else if (expect_list(child, kTargetsAllowed, problems_)) {
        for (std::size_t i = 0; i < node.children.size(); ++i) {
          const Value item = child.item(i);
          keep(item, read_target(item, context_, entry_.defaults));
        }
      }
    }
  }

  void read_group(const Value& group) {
    if (!expect_mapping(group, kGroupAllowed, problems_)) return;
    Target defaults = entry_.defaults;
    const YamlNode* addresses = nullptr;
    for (const YamlNode& node : group.node.children) {
      if (node.key == "labels") {
        read_group_labels(group.child(node), defaults);
      } else if (node.key == "targets") {
        addresses = &node;
      } else {
        problems_.add(node.line, group.child(node).path,
                      unknown_name("key", node.key, {"targets", "labels"}));
      }
    }
    if (addresses == nullptr) {
      problems_.add(group.node.line, group.path,
                    "`targets` is missing; allowed: " + std::string(kGroupAllowed));
      return;
    }
    const Value list = group.child(*addresses);
    if (!expect_list(list, "a list of addresses", problems_)) return;
    for (std::size_t i = 0; i < addresses->children.size(); ++i) {
      read_address(list.item(i), defaults);
    }
  }

  void read_group_labels(const Value& value, Target& defaults) {
    YamlNode kept = value.node;
    std::erase_if(kept.children,
                  [](const YamlNode& label) { return is_prometheus_own(label.key); });
    read_labels({kept, value.path}, context_, defaults.labels);
  }

  void read_address(const Value& value, Target target) {
    const auto text = read_text(value, kAddressAllowed, problems_);
    if (!text) return;
    const auto place = parse_place(*text);
    target.name = *text;
    std::erase_if(target.name, [](char c) { return c == '[' || c == ']'; });
    std::replace(target.name.begin(), target.name.end(), '/', ':');
    if (!place || !is_name(target.name)) {
      problems_.add(value.node.line, value.path,
                    "is not a server; allowed: " + std::string(kAddressAllowed));
      return;
    }
    const Vocabulary& known = context_.vocabulary;
    if (const auto wrong = known.check_placeless_dsn && !target.dsn.empty()
                               ? known.check_placeless_dsn(target.dsn)
                               : std::nullopt) {
      problems_.add(value.node.line, value.path,
                    "cannot be added to the `dsn` of its `target_files`, which " + *wrong);
      return;
    }
    if (known.complete_dsn) target.dsn = known.complete_dsn(target.dsn, *place);
    keep(value, std::move(target));
  }

  void keep(const Value& value, Target target) {
    if (!target.name.empty()) targets_.emplace_back(value.node.line, std::move(target));
  }

  const TargetFiles& entry_;
  const std::string& path_;
  Problems problems_;
  ReadContext context_;
  std::vector<std::pair<int, Target>> targets_;
};

std::string shown_place(const std::string& path, int line) {
  return path + ":" + std::to_string(line);
}

// Adds targets of files to those of the configuration; names and state files are unique in all.
class Collection {
 public:
  explicit Collection(Config& config) : config_(config) {
    for (const Target& target : config.targets) {
      names_[target.name] = "the configuration file";
      note_state_file(target, "the configuration file");
    }
  }

  void add(std::vector<std::pair<int, Target>> targets, const std::string& path) {
    for (auto& [line, target] : targets) {
      const std::string place = shown_place(path, line);
      const auto [first, added] = names_.emplace(target.name, place);
      if (!added) {
        throw ConfigError(place + ": `" + target.name + "` is already the name of a target in " +
                          first->second + "; allowed: a different name for each target");
      }
      note_state_file(target, place);
      config_.targets.push_back(std::move(target));
    }
    if (config_.targets.size() > kMostTargets) {
      throw ConfigError(path + ": makes more than " + std::to_string(kMostTargets) +
                        " targets in all; split them across several exporters");
    }
  }

 private:
  void note_state_file(const Target& target, const std::string& place) {
    const std::string& file = target.server_log.state_file;
    if (file.empty()) return;
    const auto [first, added] = states_.emplace(file, place);
    if (added) return;
    throw ConfigError(place + ": target `" + target.name + "` has the state file of a target in " +
                      first->second + "; allowed: a different one for each target");
  }

  Config& config_;
  std::map<std::string, std::string> names_, states_;  // where each is first used
};

}  // namespace

std::span<const Field<TargetFiles>> target_files_fields() {
  static const std::vector<Field<TargetFiles>> fields = {
      {.key = "files",
       .type = "list of texts",
       .allowed = std::string(kPatternsAllowed),
       .default_text = "",
       .help = "The files, YAML or JSON. None has to exist.",
       .read = read_patterns,
       .required = true}};
  return fields;
}

void read_target_files(const Value& value, ReadContext& context, Config& config) {
  if (!expect_list(value, kTargetFilesAllowed, context.problems)) return;
  const std::size_t count = value.node.children.size();
  if (count == 0 || count > kMostEntries) {
    context.problems.add(
        value.node.line, value.path,
        "has " + std::to_string(count) + " entries; allowed: " + std::string(kTargetFilesAllowed));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    config.target_files.push_back(read_entry(value.item(i), context, config));
  }
}

void add_targets_of_files(Config& config, const Vocabulary& vocabulary) {
  Collection all(config);
  for (const TargetFiles& entry : config.target_files) {
    // Before they are read: what changes meanwhile is a change.
    const files::FileVersions versions = files::versions_of(entry.patterns);
    for (const auto& [path, version] : versions) {
      if (!config.target_file_versions.emplace(path, version).second) {
        throw ConfigError(path + ": is named by two entries of `target_files`; allowed: one");
      }
      all.add(FileReader(entry, path, vocabulary).read(), path);
    }
  }
}

}  // namespace pgconn::config
