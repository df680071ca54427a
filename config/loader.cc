#include "config/loader.h"

#include <optional>
#include <system_error>
#include <utility>

#include "config/field.h"
#include "config/problems.h"
#include "config/schema.h"
#include "config/sections.h"
#include "config/yaml_document.h"
#include "files/bounded_file.h"

namespace pgconn::config {
namespace {

void require_servers(const YamlNode& root, Problems& problems) {
  if (root.kind != YamlNode::Kind::kMapping) return;  // reported already
  for (const char* key : {"targets", "target_files", "auth_modules"}) {
    if (root.find(key) != nullptr) return;
  }
  problems.add(root.line, "", "`targets` is missing; allowed: " + std::string(kTargetsAllowed));
}

Config read_text(std::string_view yaml, const std::string& name, const Vocabulary& vocabulary) {
  Problems problems(name);
  const YamlNode root = parse_document(yaml, problems);
  ReadContext context{vocabulary, problems};
  Config config;
  read_section<Config>({root, ""}, "a mapping with at least `targets`", file_fields(), context,
                       config);
  require_servers(root, problems);
  problems.throw_if_any();
  return config;
}

}  // namespace

ValidatedConfig load_text(std::string_view yaml, const std::string& name,
                          const Vocabulary& vocabulary) {
  return ValidatedConfig(read_text(yaml, name, vocabulary));
}

std::string read_configuration(const std::string& path) {
  std::optional<std::string> content;
  try {
    content = files::read_bounded_regular_file(path, kMaxFileBytes);
  } catch (const std::system_error& error) {
    throw ConfigError(path + ": cannot be read: " + error.code().message() +
                      "; name a file that the exporter's user can read");
  }
  if (!content) {
    throw ConfigError(path +
                      ": is not a regular file; put the configuration into one, since a pipe "
                      "or device could not be read a second time");
  }
  return *std::move(content);
}

ValidatedConfig load_file(const std::string& path, const Vocabulary& vocabulary) {
  Config config = read_text(read_configuration(path), path, vocabulary);
  add_targets_of_files(config, vocabulary);
  return ValidatedConfig(std::move(config));
}

ValidatedConfig from_environment() {
  Config config;
  Target target;
  target.name = "default";
  config.targets.push_back(std::move(target));
  return ValidatedConfig(std::move(config));
}

}  // namespace pgconn::config
