// Turns one node of the file into one typed value, or into a problem that says what is allowed.
// These are the rules of plain values; the schema knows the keys. One thread per Problems.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problems.h"
#include "config/yaml_document.h"

namespace pgconn::config {

// A node and where it is: `targets[2].name`.
struct Value {
  const YamlNode& node;
  std::string path;

  // A child of a mapping, under its key.
  Value child(const YamlNode& entry) const;
  // A child of a list; `index` is below children.size().
  Value item(std::size_t index) const;
};

// Both ends are part of the range.
struct DurationRange {
  using Number = Duration;
  static constexpr std::string_view kPlural = "durations";

  Duration min;
  Duration max;
  bool or_zero = false;                          // 0 is allowed below `min`
  Duration step = std::chrono::milliseconds(1);  // only its multiples are allowed
};
struct IntegerRange {
  int min;
  int max;
};
// Seconds as a number, where durations are too coarse. `above` itself is not part of the range.
struct SecondsRange {
  using Number = double;
  static constexpr std::string_view kPlural = "numbers of seconds";

  double above;
  double max;
};

// The ranges as messages and the reference word them: "0 or 10ms to 1h", "1 to 100".
std::string allowed_text(const DurationRange& range);
std::string allowed_text(const IntegerRange& range);
std::string allowed_text(const SecondsRange& range);

// Without an exponent: "0.0002", "10".
std::string format_seconds(double value);

// Each adds to `problems` and returns nullopt if the value is not of its kind or range.
std::optional<Duration> read_duration(const Value& value, const DurationRange& range,
                                      Problems& problems);
std::optional<int> read_integer(const Value& value, const IntegerRange& range, Problems& problems);
std::optional<bool> read_boolean(const Value& value, std::string_view allowed, Problems& problems);
// Text that YAML could read as a number, a boolean or null must be in quotes. `allowed` ends the
// message, which never shows the text.
std::optional<std::string> read_text(const Value& value, std::string_view allowed,
                                     Problems& problems);
// Digits, with or without a point and more digits; not `.5` or `1e3`.
std::optional<double> read_seconds(const Value& value, const SecondsRange& range,
                                   Problems& problems);
// Between 1 and `max_count` entries, each larger than the one before.
std::optional<std::vector<Duration>> read_ascending(const Value& value, const DurationRange& range,
                                                    std::size_t max_count, Problems& problems);
std::optional<std::vector<double>> read_ascending(const Value& value, const SecondsRange& range,
                                                  std::size_t max_count, Problems& problems);

// True if `value` is a mapping (a list); else adds a problem. `allowed` says what belongs there.
bool expect_mapping(const Value& value, std::string_view allowed, Problems& problems);
bool expect_list(const Value& value, std::string_view allowed, Problems& problems);

// "unknown KIND; did you mean `x`? allowed: a, b, c". `known` may come in any order.
std::string unknown_name(std::string_view kind, std::string_view name,
                         const std::vector<std::string_view>& known);

}  // namespace pgconn::config
