#include "config/yaml_document.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "config/tree_builder.h"
#include "config/yaml_text.h"
#include "text/ascii.h"

namespace pgconn::config {
namespace {

// The parser's messages, reworded to say what to do. Its own are not shown: some end with the
// character or word at fault, which can be part of a secret.
std::string_view explain(std::string_view message) {
  using Explanation = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Explanation, 15> kExplanations = {{
      {"illegal EOF in scalar", "a quote that opens here is not closed; close it"},
      {"end of map not found", "does not fit the lines above; check indentation, `: ` and quotes"},
      {"end of sequence not found", "does not fit the list above; check indentation and quotes"},
      {"end of map flow not found", "a `{` is not closed, or a comma is missing; close it"},
      {"end of sequence flow not found", "a `[` is not closed, or a comma is missing; close it"},
      {"illegal flow end", "a `]` or `}` that closes nothing; remove it or quote the text"},
      {"illegal map value", "a `:` where no value can start; check indentation, quote the text"},
      {"illegal map key", "a key where none can start; check indentation and quotes"},
      {"illegal block entry",
       "a `-` where no list item can start; check indentation, quotes and brackets"},
      {"unknown escape character", "an unknown escape; use single quotes around backslashes"},
      {"bad character found while scanning hex", "a bad escape; use single quotes around it"},
      {"invalid unicode", "a bad escape; use single quotes around backslashes"},
      {"unknown token", "a character that cannot start a value; put the value in quotes"},
      {"the referenced anchor is not defined",
       "an alias (`*`) without its anchor; define it above"},
      {"illegal tab", "a tab in the indentation; indent with spaces"},
  }};
  for (const auto& [beginning, explanation] : kExplanations) {
    if (message.starts_with(beginning)) return explanation;
  }
  return "not valid YAML; check indentation, colons and quotes";
}

int count_lines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n')) +
         (text.ends_with('\n') ? 0 : 1);
}

[[noreturn]] void fail_syntax(const YAML::Exception& error, std::string_view yaml,
                              const TreeBuilder& builder, Problems& problems) {
  const bool open_quote = error.msg.starts_with("illegal EOF in scalar");
  const bool at_end = open_quote || line_of(error.mark) > count_lines(yaml);
  problems.fail(at_end ? builder.last_line() : line_of(error.mark),
                open_quote ? builder.path() : "", explain(error.msg));
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view name) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const YamlNode& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

std::string shown_key(std::string_view key) {
  const auto plain = [](char c) {
    return text::is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
  };
  const bool shown = key == "<<" || (!key.empty() && key.size() <= 40 &&
                                     std::all_of(key.begin(), key.end(), plain));
  return shown ? std::string(key) : "<key>";
}

YamlNode parse_document(std::string_view yaml, Problems& problems,
                        std::optional<std::string_view> if_empty) {
  check_text(yaml, problems);
  // The comment is added because the parser overlooks a quote that opens as the last character.
  std::istringstream input(std::string(yaml) + "\n#");
  TreeBuilder builder(problems);
  bool found = false;
  try {
    YAML::Parser parser(input);
    while (parser.HandleNextDocument(builder)) found = true;
  } catch (const YAML::Exception& error) {
    fail_syntax(error, yaml, builder, problems);
  }
  YamlNode root = found ? builder.take_root() : YamlNode();
  if (root.kind == YamlNode::Kind::kNull && if_empty) problems.fail(1, "", *if_empty);
  return root;
}

}  // namespace pgconn::config
