#include "config/problems.h"

#include "config/loader.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kShown = 20;

}  // namespace

void Problems::add(int line, std::string_view path, std::string_view message) {
  std::string text = file_ + ":";
  if (line > 0) text += std::to_string(line) + ":";
  text += " ";
  if (!path.empty()) text.append(path).append(": ");
  problems_.emplace(line, text.append(message));
}

void Problems::fail(int line, std::string_view path, std::string_view message) {
  add(line, path, message);
  throw_all();
}

void Problems::throw_if_any() const {
  if (!problems_.empty()) throw_all();
}

void Problems::throw_all() const {
  std::string message;
  std::size_t shown = 0;
  for (const auto& [line, text] : problems_) {
    if (shown++ == kShown) break;
    if (!message.empty()) message += '\n';
    message += text;
  }
  if (problems_.size() > kShown) {
    message +=
        "\n" + file_ + ": and " + std::to_string(problems_.size() - kShown) + " more problems";
  }
  throw ConfigError(message);
}

}  // namespace pgconn::config
