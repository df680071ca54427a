// What the commands share for reading their flags. Pure; any thread.
#pragma once

#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "text/join.h"

namespace CLI {
class App;
}

namespace pgconn::exporter {

// A mistake of the operator's, with what is allowed.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename Value>
using Choices = std::span<const std::pair<std::string_view, Value>>;

// The value with the name `given`; else a UsageError that names `what` and the choices.
template <typename Value>
Value choose(std::string_view what, const std::string& given, Choices<Value> choices) {
  for (const auto& [name, value] : choices) {
    if (name == given) return value;
  }
  const std::string problem = given.empty() ? " needs a value" : " \"" + given + "\" is unknown";
  throw UsageError(std::string(what) + problem +
                   "; allowed: " + text::joined(choices | std::views::keys));
}

// Flags that belong to the parser itself and not to a command, since `serve` may be left out.
inline constexpr const char* kFlagsOfServe = "Flags of serve";
inline constexpr const char* kFlagsOfAll = "Flags of all";

// Everything that `--help` prints, from what the parser knows: commands, flags, defaults.
std::string help_text(const CLI::App& app);

}  // namespace pgconn::exporter
