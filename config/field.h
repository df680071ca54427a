// One key of the configuration: how it is read, and what the reference says about it. The tables
// of schema.h consist of these, made by the functions below. Immutable once made; any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/duration.h"
#include "config/loader.h"
#include "config/problems.h"
#include "config/values.h"

namespace pgconn::config {

// What reading needs besides the value. Both must outlive the reading.
struct ReadContext {
  const Vocabulary& vocabulary;
  Problems& problems;
};

// A key of `Section`. `read` stores the value in the section or adds to the problems.
template <typename Section>
struct Field {
  std::string key;
  std::string type;          // "duration"
  std::string allowed;       // "100ms to 10m"
  std::string default_text;  // as written in YAML; empty if there is none
  std::string help;
  std::function<void(const Value&, ReadContext&, Section&)> read;
  bool required = false;
};

// For `text` fields: what is allowed, as a phrase and as a predicate.
struct TextRule {
  std::string_view allowed;
  bool (*accepts)(std::string_view);
};

// Reads every key of `fields` that the mapping `value` has, in the table's order; adds a problem
// for each unknown key and each required key that is missing. `what` describes the section.
template <typename Section>
void read_section(const Value& value, std::string_view what, std::span<const Field<Section>> fields,
                  ReadContext& context, Section& section) {
  if (!expect_mapping(value, what, context.problems)) return;
  std::vector<std::string_view> known;
  for (const Field<Section>& field : fields) {
    known.push_back(field.key);
    if (const YamlNode* node = value.node.find(field.key)) {
      field.read(value.child(*node), context, section);
    } else if (field.required) {
      context.problems.add(value.node.line, value.path,
                           "`" + field.key + "` is missing; allowed: " + field.allowed);
    }
  }
  for (const YamlNode& node : value.node.children) {
    if (std::find(known.begin(), known.end(), node.key) != known.end()) continue;
    context.problems.add(node.line, value.child(node).path, unknown_name("key", node.key, known));
  }
}

// `defaults` is for a section that has other defaults where it is used.
template <typename Section>
Field<Section> boolean(std::string_view key, bool Section::* member, std::string_view help,
                       const Section& defaults = {}) {
  return {.key = std::string(key),
          .type = "boolean",
          .allowed = "true or false",
          .default_text = defaults.*member ? "true" : "false",
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Section& section) {
            const auto read = read_boolean(value, "true or false", context.problems);
            if (read) section.*member = *read;
          }};
}

template <typename Section>
Field<Section> duration(std::string_view key, Duration Section::* member, DurationRange range,
                        std::string_view help, const Section& defaults = {}) {
  return {.key = std::string(key),
          .type = "duration",
          .allowed = allowed_text(range),
          .default_text = format_duration(defaults.*member),
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Section& section) {
            const auto read = read_duration(value, range, context.problems);
            if (read) section.*member = *read;
          }};
}

// A duration without a default.
template <typename Section>
Field<Section> duration(std::string_view key, std::optional<Duration> Section::* member,
                        DurationRange range, std::string_view help) {
  return {.key = std::string(key),
          .type = "duration",
          .allowed = allowed_text(range),
          .default_text = "",
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Section& section) {
            const auto read = read_duration(value, range, context.problems);
            if (read) section.*member = *read;
          }};
}

template <typename Section>
Field<Section> integer(std::string_view key, int Section::* member, IntegerRange range,
                       std::string_view help) {
  return {.key = std::string(key),
          .type = "integer",
          .allowed = allowed_text(range),
          .default_text = std::to_string(Section{}.*member),
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Section& section) {
            const auto read = read_integer(value, range, context.problems);
            if (read) section.*member = *read;
          }};
}

inline std::string format_entry(Duration value) { return format_duration(value); }
inline std::string format_entry(double value) { return format_seconds(value); }

// A list of values within `Range`; each entry is larger than the one before.
template <typename Section, typename Range>
Field<Section> ascending(std::string_view key,
                         std::vector<typename Range::Number> Section::* member, Range range,
                         std::size_t max_count, std::string_view help) {
  std::string shown = "[";
  const Section defaults{};
  for (const auto entry : defaults.*member) {
    shown += (shown.size() > 1 ? ", " : "") + format_entry(entry);
  }
  return {.key = std::string(key),
          .type = "list of " + std::string(Range::kPlural),
          .allowed = "1 to " + std::to_string(max_count) + " in ascending order, each " +
                     allowed_text(range),
          .default_text = shown + "]",
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Section& section) {
            auto read = read_ascending(value, range, max_count, context.problems);
            if (read) section.*member = std::move(*read);
          }};
}

template <typename Section>
Field<Section> text(std::string_view key, std::string Section::* member, TextRule rule,
                    std::string_view help) {
  return {.key = std::string(key),
          .type = "text",
          .allowed = std::string(rule.allowed),
          .default_text = Section{}.*member,
          .help = std::string(help),
          .read = [=](const Value& value, ReadContext& context, Section& section) {
            const auto read = read_text(value, rule.allowed, context.problems);
            if (!read) return;
            if (rule.accepts(*read)) {
              section.*member = *read;
            } else {
              context.problems.add(
                  value.node.line, value.path,
                  "is not of the allowed form; allowed: " + std::string(rule.allowed));
            }
          }};
}

// The fields of a section that is a member of another, as keys of the outer section.
template <typename Outer, typename Inner>
std::vector<Field<Outer>> within(Inner Outer::* member, std::span<const Field<Inner>> inner) {
  std::vector<Field<Outer>> fields;
  for (const Field<Inner>& field : inner) {
    fields.push_back(
        {.key = field.key,
         .type = field.type,
         .allowed = field.allowed,
         .default_text = field.default_text,
         .help = field.help,
         .read = [member, read = field.read](const Value& value, ReadContext& context,
                                             Outer& outer) { read(value, context, outer.*member); },
         .required = field.required});
  }
  return fields;
}

}  // namespace pgconn::config
