// Values of the web configuration, read as Prometheus's exporters read them: Go's durations, the
// booleans of YAML 1.1, text without quotes. Used by the schema of that file alone.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/field.h"

namespace pgconn::config {

// Go's durations: decimal numbers with the units ns, us, ms, s, m, h in any order, and a sign; `0`
// needs no unit. Throws std::invalid_argument whose message says what is wrong.
std::chrono::nanoseconds parse_go_duration(std::string_view text);

// Each adds to `problems` and returns nullopt if the value cannot be read.
std::optional<std::string> read_web_text(const Value& value, std::string_view allowed,
                                         Problems& problems);
std::optional<bool> read_web_boolean(const Value& value, Problems& problems);

// The field, but a key without a value counts as left out.
template <typename Section>
Field<Section> may_be_null(Field<Section> field) {
  field.read = [read = std::move(field.read)](const Value& value, ReadContext& context,
                                              Section& section) {
    if (value.node.kind != YamlNode::Kind::kNull) read(value, context, section);
  };
  return field;
}

}  // namespace pgconn::config
