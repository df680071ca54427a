// "Did you mean …?" Pure; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace pgconn::text {

// The known name with the fewest edits (insert, delete, replace, swap of neighbours) from `name`,
// if that is at most a third of its length, else nullopt. Of equally near ones, the first.
std::optional<std::string_view> nearest_name(std::string_view name,
                                             const std::vector<std::string_view>& known);

}  // namespace pgconn::text
