#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <vector>

#include "exporter/cli/usage.h"

namespace pgconn::exporter {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kFlagColumn = 32;     // where the text of a flag begins
constexpr std::size_t kCommandColumn = 44;  // and the text of a command

// `head` and then `text`, broken between words, all its lines beginning at `column`.
std::string entry(std::string head, const std::string& text, std::size_t column) {
  std::string result;
  std::string line = "  " + head;
  line.resize(std::max(line.size() + 1, column), ' ');
  std::istringstream words(text);
  bool fresh = true;
  for (std::string word; words >> word; fresh = false) {
    if (!fresh && line.size() + 1 + word.size() > kWidth) {
      result += line + "\n";
      line.assign(column, ' ');
      fresh = true;
    }
    line += (fresh ? "" : " ") + word;
  }
  return result + line + "\n";
}

std::string usage(const CLI::App& command, bool default_command) {
  std::string text = command.get_name();
  if (default_command) text = "[" + text + "]";
  bool flags = default_command;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) {
      text += " " + option->get_name(true, false);
    } else {
      flags = true;
    }
  }
  return "pgconn_exporter " + text + (flags ? " [flags]" : "");
}

std::string flag(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += "-" + name + ", ";
  names += "--" + option.get_lnames().front();
  const bool takes_value = option.get_expected_max() != 0;
  const std::string fallback = option.get_default_str();
  return entry(names + (takes_value ? "=" + option.get_type_name() : ""),
               option.get_description() + (fallback.empty() ? "" : " Default: " + fallback),
               kFlagColumn);
}

std::string flags_of(const CLI::App& app, const std::string& group) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() && option->get_group() == group) text += flag(*option);
  }
  return text.empty() ? "" : "\n" + group + ":\n" + text;
}

}  // namespace

std::string help_text(const CLI::App& app) {
  std::string text = app.get_description() + "\n\nUsage:\n";
  std::string flags = flags_of(app, kFlagsOfServe);
  bool first = true;
  for (const CLI::App* command : app.get_subcommands({})) {
    text += entry(usage(*command, first), command->get_description(), kCommandColumn);
    for (const std::string& group : command->get_groups()) flags += flags_of(*command, group);
    first = false;
  }
  return text + flags + flags_of(app, kFlagsOfAll);
}

}  // namespace pgconn::exporter
