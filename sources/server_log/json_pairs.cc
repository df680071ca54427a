#include "sources/server_log/json_pairs.h"

#include <charconv>

#include "sources/server_log/parser.h"

namespace pgconn::server_log {
namespace {

constexpr std::size_t kDeepest = 32;  // nested objects and arrays

// What \uXXXX stands for.
char character_of(std::string_view digits) {
  unsigned value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (value < 0x20 || value > 0x7e) return '?';
  return static_cast<char>(value);
}

}  // namespace

std::string_view JsonPairs::Value::unescaped(std::string& scratch) const {
  if (text.substr(0, kLongestText).find('\\') == std::string_view::npos) {
    return text.substr(0, kLongestText);
  }
  scratch.clear();
  for (std::size_t i = 0; i < text.size() && scratch.size() < kLongestText; ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      scratch += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'u') {
      scratch += character_of(text.substr(i + 1, 4));
      i += 4;
    } else {
      scratch += c == 'n' || c == 'r' || c == 't' || c == 'b' || c == 'f' ? ' ' : c;
    }
  }
  return scratch;
}

std::optional<std::pair<std::string_view, JsonPairs::Value>> JsonPairs::next() {
  if (!skip(is_first_ ? '{' : ',')) return std::nullopt;
  is_first_ = false;
  const auto key = string();
  if (!key || !key->is_whole || !skip(':')) return std::nullopt;
  std::optional<Value> value;
  if (rest_.starts_with('"')) {
    value = string();
  } else if (rest_.starts_with('{') || rest_.starts_with('[')) {
    value = nested();
  } else {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != ',' && rest_[end] != '}' && rest_[end] != '"') ++end;
    value = Value{rest_.substr(0, end)};
    rest_.remove_prefix(end);
  }
  if (!value) return std::nullopt;
  return std::pair{key->text, *value};
}

bool JsonPairs::skip(char c) {
  if (!rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

std::optional<JsonPairs::Value> JsonPairs::string() {
  if (!skip('"')) return std::nullopt;
  Value result{rest_, false, true};
  std::size_t at = rest_.find('"');
  // A quote after an odd number of backslashes does not end it.
  while (at != std::string_view::npos && is_escaped(at)) at = rest_.find('"', at + 1);
  if (at == std::string_view::npos) {
    rest_ = {};
    return result;
  }
  result.is_whole = true;
  result.text = rest_.substr(0, at);
  rest_.remove_prefix(at + 1);
  return result;
}

// An object or array is taken whole; what is in it is not looked at here.
std::optional<JsonPairs::Value> JsonPairs::nested() {
  const std::string_view all = rest_;
  std::size_t depth = 0;
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '"') {
      string();
      continue;
    }
    rest_.remove_prefix(1);
    if (c == '{' || c == '[') {
      if (++depth > kDeepest) return std::nullopt;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return Value{all.substr(0, all.size() - rest_.size())};
    }
  }
  return Value{all, false};
}

bool JsonPairs::is_escaped(std::size_t quote) const {
  std::size_t backslashes = 0;
  while (backslashes < quote && rest_[quote - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

}  // namespace pgconn::server_log
