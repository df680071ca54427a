// What the tests of the loader share: the names a program would know, and the files of the project.
#pragma once

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "config/loader.h"

namespace pgconn::config {

inline Vocabulary test_vocabulary() {
  return {.collectors = {"server", "sessions", "blocking", "limits", "session_ends", "transport",
                         "settings"},
          .reserved_labels = {"target", "collector", "database", "user"},
          .check_dsn = [](std::string_view dsn) -> std::optional<std::string> {
            if (dsn.find("password") == std::string_view::npos) return std::nullopt;
            return "holds a password; allowed: a connection string without one";
          },
          .check_placeless_dsn = [](std::string_view dsn) -> std::optional<std::string> {
            if (dsn.find("host") == std::string_view::npos) return std::nullopt;
            return "names a host; allowed: a connection string without one";
          },
          .complete_dsn = {},
          .check_line_prefix = [](std::string_view prefix) -> std::optional<std::string> {
            if (prefix.find("%y") == std::string_view::npos) return std::nullopt;
            return "has the escape %y, which PostgreSQL does not know";
          }};
}

inline ValidatedConfig load(std::string_view yaml) {
  return load_text(yaml, "test.yml", test_vocabulary());
}

// The message of the ConfigError, or "accepted".
inline std::string refusal(std::string_view yaml, const std::string& name = "test.yml") {
  try {
    load_text(yaml, name, test_vocabulary());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

// `path` is relative to the project's root.
inline std::string read_source(const std::string& path) {
  std::ifstream file(std::string(PGCONN_SOURCE_DIR "/") + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace pgconn::config
