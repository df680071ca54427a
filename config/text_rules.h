// What texts of the configuration may look like, where several sections need it. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/field.h"

namespace pgconn::config {

// 1 to 100 characters that need no quotes in a selector.
bool is_name(std::string_view text);

// A relative path would depend on where the exporter was started. A line end in a path comes from
// YAML, whose block texts keep their last one.
bool is_absolute_path(std::string_view text);

inline constexpr TextRule kTargetName = {"1 to 100 characters of `[A-Za-z0-9_.:-]`", is_name};

// Reads a list of 1 to `most` texts, each by `rule`. Adds a problem for a list that is none, is
// empty or is too long (`allowed` says what it should be), and one for each text that is not good.
std::vector<std::string> read_texts(const Value& value, std::string_view allowed, std::size_t most,
                                    const TextRule& rule, Problems& problems);

}  // namespace pgconn::config
