// What texts of the configuration may look like, where several sections need it. Constants; any
// thread.
#pragma once

#include <string_view>

#include "config/field.h"

namespace pgconn::config {

// 1 to 100 characters that need no quotes in a selector.
bool is_name(std::string_view text);

// A relative path would depend on where the exporter was started. A line end in a path comes from
// YAML, whose block texts keep their last one.
bool is_absolute_path(std::string_view text);

inline constexpr TextRule kTargetName = {"1 to 100 characters of `[A-Za-z0-9_.:-]`", is_name};

}  // namespace pgconn::config
