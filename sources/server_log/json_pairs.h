// The pairs of one JSON object, front to back, as a log's line has them: strict enough to notice a
// torn line, and nothing is copied but a string with escapes. A value; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgconn::server_log {

class JsonPairs {
 public:
  // `line`: the object and nothing else. Must outlive this and the texts.
  explicit JsonPairs(std::string_view line) : rest_(line) {}

  // A value: a string without its quotes, a number or word, or a whole nested object or array.
  struct Value {
    std::string_view text;  // of a string: with its escapes
    bool is_whole = true;   // false: the line ended in it
    bool is_string = false;

    // At most kLongestText bytes without escapes; `scratch` keeps them if there were any. Control
    // characters become spaces, and characters that are not ASCII question marks.
    std::string_view unescaped(std::string& scratch) const;
  };

  // The next pair; nothing at the end of the object, or of the line, or if it is not JSON.
  std::optional<std::pair<std::string_view, Value>> next();

  bool is_at_end() const { return rest_ == "}"; }

 private:
  bool skip(char c);
  std::optional<Value> string();
  std::optional<Value> nested();
  bool is_escaped(std::size_t quote) const;

  std::string_view rest_;
  bool is_first_ = true;
};

}  // namespace pgconn::server_log
