// A YAML file as a plain tree that knows its lines. Stricter than YAML: what a reader of the file
// could misread is refused here, so that the schema sees only mappings, lists and text. Values; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"

namespace pgconn::config {

struct YamlNode {
  enum class Kind { kNull, kText, kList, kMapping };
  Kind kind = Kind::kNull;
  int line = 0;                    // 1-based: where its key is or, without a key, where it starts
  bool quoted = false;             // text in quotes or a block
  std::string key;                 // inside a mapping: its key there
  std::string text;                // kText
  std::vector<YamlNode> children;  // kList and kMapping; keys are unique

  // The child of a mapping with this key, or nullptr.
  const YamlNode* find(std::string_view name) const;
};

// Limits on a file; a real configuration is far below them.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;
inline constexpr int kMaxDepth = 16;
inline constexpr std::size_t kMaxNodes = 50'000;  // aliases counted as if written out

inline constexpr std::string_view kEmptyFile =
    "the file is empty; it needs at least `targets:` with one target";

// Parses the one document of a file. Duplicate keys are added to `problems` (the first one stays);
// for everything else that is wrong it throws ConfigError: bytes that are not UTF-8, control
// characters, tabs in the indentation, YAML's own errors, an empty file, a second document, tags,
// keys that are not text, and anything above the limits. No message repeats the text of a value.
// The message for an empty file is `if_empty`; with nullopt, an empty file is a node without value.
YamlNode parse_document(std::string_view yaml, Problems& problems,
                        std::optional<std::string_view> if_empty = kEmptyFile);

// A key as it may be shown: itself if it is a plain word, else "<key>" (it could be a secret).
std::string shown_key(std::string_view key);

}  // namespace pgconn::config
