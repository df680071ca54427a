#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "config/duration.h"
#include "text/ascii.h"
#include "text/join.h"
#include "text/nearest_name.h"

namespace pgconn::config {
namespace {

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), text::is_digit);
}

// YAML 1.1 reads a leading zero as octal.
bool is_decimal_integer(std::string_view text) {
  return are_digits(text) && (text == "0" || text.front() != '0');
}

// The value for a message if it is one short word. Anything longer could contain more than its
// author meant to write there: a line indented too far becomes part of the value above it.
std::string shown(const YamlNode& node) {
  const auto harmless = [](char c) {
    return text::is_letter_or_digit(c) || c == '.' || c == '-' || c == '+' || c == '_';
  };
  const bool word = !node.text.empty() && node.text.size() <= 20 &&
                    std::all_of(node.text.begin(), node.text.end(), harmless);
  return word ? "`" + node.text + "`" : "the value";
}

// Describes a node that is not what was expected.
std::string_view describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "has no value";
    case YamlNode::Kind::kText:
      return "is text";
    case YamlNode::Kind::kList:
      return "is a list";
    case YamlNode::Kind::kMapping:
      return "is a mapping";
  }
  return "is not readable";
}

void add(const Value& value, std::string_view wrong, std::string_view allowed, Problems& problems) {
  problems.add(value.node.line, value.path,
               std::string(wrong) + "; allowed: " + std::string(allowed));
}

bool expect(YamlNode::Kind kind, const Value& value, std::string_view allowed, Problems& problems) {
  if (value.node.kind == kind) return true;
  add(value, describe(value.node), allowed, problems);
  return false;
}

std::optional<std::string_view> wrong_with(Duration duration, const DurationRange& range) {
  if (range.or_zero && duration == Duration::zero()) return std::nullopt;
  if (duration < range.min) return "is too short";
  if (duration > range.max) return "is too long";
  if (duration % range.step != Duration::zero()) return "is too fine";
  return std::nullopt;
}

// Whether YAML 1.1 or 1.2 reads the plain text as a number or a boolean.
bool is_ambiguous(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kWords = {"true", "false", "yes", "no",
                                                             "on",   "off",   "y",   "n"};
  const std::string lower = text::lowered(text);
  if (std::find(kWords.begin(), kWords.end(), lower) != kWords.end()) return true;
  std::string_view rest = lower;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == ".inf" || rest == ".nan") return true;
  if (rest.empty() || !(text::is_digit(rest.front()) || rest.front() == '.')) return false;
  if (rest.starts_with("0x") || rest.starts_with("0o")) {
    return rest.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  }
  double number = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return parsed.ptr == rest.data() + rest.size();
}

template <typename Range, typename Read>
std::optional<std::vector<typename Range::Number>> read_each_above_last(const Value& value,
                                                                        const Range& range,
                                                                        std::size_t max_count,
                                                                        Read read_one,
                                                                        Problems& problems) {
  const std::string allowed = "a list of 1 to " + std::to_string(max_count) + " " +
                              std::string(Range::kPlural) + " in ascending order, each " +
                              allowed_text(range);
  if (!expect_list(value, allowed, problems)) return std::nullopt;
  const std::size_t count = value.node.children.size();
  if (count == 0 || count > max_count) {
    add(value, "has " + std::to_string(count) + " entries", allowed, problems);
    return std::nullopt;
  }
  std::vector<typename Range::Number> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    const Value item = value.item(i);
    const auto number = read_one(item, range, problems);
    if (!number) return std::nullopt;
    if (!numbers.empty() && *number <= numbers.back()) {
      add(item, shown(item.node) + " is not above the entry before it", allowed, problems);
      return std::nullopt;
    }
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

Value Value::child(const YamlNode& entry) const {
  return {entry, (path.empty() ? "" : path + ".") + shown_key(entry.key)};
}

Value Value::item(std::size_t index) const {
  return {node.children[index], path + "[" + std::to_string(index) + "]"};
}

std::string allowed_text(const DurationRange& range) {
  std::string text = range.or_zero ? "0 or " : "";
  text += format_duration(range.min) + " to " + format_duration(range.max);
  if (range.step == std::chrono::seconds(1)) text += " in whole seconds";
  return text;
}

std::string allowed_text(const IntegerRange& range) {
  return std::to_string(range.min) + " to " + std::to_string(range.max);
}

std::string allowed_text(const SecondsRange& range) {
  return "above " + format_seconds(range.above) + " and up to " + format_seconds(range.max);
}

std::string format_seconds(double value) {
  std::array<char, 400> text;  // enough for every double
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return {text.data(), end.ptr};
}

std::optional<Duration> read_duration(const Value& value, const DurationRange& range,
                                      Problems& problems) {
  const std::string allowed = allowed_text(range);
  if (!expect(YamlNode::Kind::kText, value, "a duration, " + allowed, problems))
    return std::nullopt;
  try {
    const Duration duration = parse_duration(value.node.text);
    const auto wrong = wrong_with(duration, range);
    if (!wrong) return duration;
    add(value, shown(value.node) + " " + std::string(*wrong), allowed, problems);
  } catch (const std::invalid_argument& error) {
    add(value, shown(value.node) + " " + error.what(), allowed, problems);
  }
  return std::nullopt;
}

std::optional<int> read_integer(const Value& value, const IntegerRange& range, Problems& problems) {
  const std::string allowed = allowed_text(range);
  if (!expect(YamlNode::Kind::kText, value, "an integer, " + allowed, problems))
    return std::nullopt;
  const std::string_view text = value.node.text;
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (value.node.quoted || !is_decimal_integer(digits)) {
    add(value,
        shown(value.node) + (value.node.quoted ? " is in quotes" : " is not a decimal integer"),
        allowed, problems);
    return std::nullopt;
  }
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || number < range.min || number > range.max) {
    add(value, shown(value.node) + " is out of range", allowed, problems);
    return std::nullopt;
  }
  return number;
}

std::optional<bool> read_boolean(const Value& value, std::string_view allowed, Problems& problems) {
  if (!expect(YamlNode::Kind::kText, value, allowed, problems)) return std::nullopt;
  const YamlNode& node = value.node;
  if (!node.quoted && (node.text == "true" || node.text == "false")) return node.text == "true";
  add(value, shown(node) + (node.quoted ? " is in quotes" : " is neither true nor false"), allowed,
      problems);
  return std::nullopt;
}

std::optional<std::string> read_text(const Value& value, std::string_view allowed,
                                     Problems& problems) {
  if (!expect(YamlNode::Kind::kText, value, allowed, problems)) return std::nullopt;
  if (!value.node.quoted && is_ambiguous(value.node.text)) {
    add(value, "is not text but a number or a boolean; put it in quotes", allowed, problems);
    return std::nullopt;
  }
  return value.node.text;
}

std::optional<double> read_seconds(const Value& value, const SecondsRange& range,
                                   Problems& problems) {
  const std::string allowed = allowed_text(range);
  if (!expect(YamlNode::Kind::kText, value, "a number of seconds, " + allowed, problems))
    return std::nullopt;
  const std::string_view text = value.node.text;
  const std::size_t point = std::min(text.find('.'), text.size());
  const bool decimal = !value.node.quoted && is_decimal_integer(text.substr(0, point)) &&
                       (point == text.size() || are_digits(text.substr(point + 1)));
  if (!decimal) {
    add(value,
        shown(value.node) +
            (value.node.quoted ? " is in quotes" : " is not a number of seconds, write 0.001"),
        allowed, problems);
    return std::nullopt;
  }
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || number <= range.above || number > range.max) {
    add(value, shown(value.node) + " is out of range", allowed, problems);
    return std::nullopt;
  }
  return number;
}

std::optional<std::vector<Duration>> read_ascending(const Value& value, const DurationRange& range,
                                                    std::size_t max_count, Problems& problems) {
  return read_each_above_last(value, range, max_count, read_duration, problems);
}

std::optional<std::vector<double>> read_ascending(const Value& value, const SecondsRange& range,
                                                  std::size_t max_count, Problems& problems) {
  return read_each_above_last(value, range, max_count, read_seconds, problems);
}

bool expect_mapping(const Value& value, std::string_view allowed, Problems& problems) {
  return expect(YamlNode::Kind::kMapping, value, allowed, problems);
}

bool expect_list(const Value& value, std::string_view allowed, Problems& problems) {
  return expect(YamlNode::Kind::kList, value, allowed, problems);
}

std::string unknown_name(std::string_view kind, std::string_view name,
                         const std::vector<std::string_view>& known) {
  std::string message = "unknown " + std::string(kind);
  const auto nearest = text::nearest_name(name, known);
  message += nearest ? ", did you mean `" + std::string(*nearest) + "`?; allowed: " : "; allowed: ";
  return message + text::joined(known);
}

}  // namespace pgconn::config
