// YAML to ValidatedConfig, strictly: an unknown or duplicate key, a wrong unit, a value out of
// range, a second document, an unterminated quote are errors that name file, line and key and say
// what is allowed. Pure but for reading the file; any thread.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/place.h"

namespace pgconn::config {

// Of a file: one line for each of the first 20 problems, "FILE:LINE: KEY: what is wrong; what is
// allowed" (no LINE or KEY where the whole file is meant). The message never repeats a secret.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Names that the rest of the program knows and that this library checks against.
struct Vocabulary {
  std::set<std::string> collectors;       // names that exist
  std::set<std::string> reserved_labels;  // label names the metrics use themselves
  // What is wrong with a connection string, or nullopt.
  std::function<std::optional<std::string>(std::string_view dsn)> check_dsn;
  // The same of one that must leave out where the server is.
  std::function<std::optional<std::string>(std::string_view dsn)> check_placeless_dsn;
  // A connection string that leaves out where the server is, completed.
  std::function<std::string(std::string_view dsn, const Place& place)> complete_dsn;
  // The same of a log_line_prefix.
  std::function<std::optional<std::string>(std::string_view prefix)> check_line_prefix;
};

// A configuration that has passed every check. Only the functions below make one.
class ValidatedConfig {
 public:
  const Config& operator*() const { return config_; }
  const Config* operator->() const { return &config_; }

 private:
  friend ValidatedConfig load_text(std::string_view, const std::string&, const Vocabulary&);
  friend ValidatedConfig load_file(const std::string&, const Vocabulary&);
  friend ValidatedConfig from_environment();
  explicit ValidatedConfig(Config config) : config_(std::move(config)) {}
  Config config_;
};

// With the targets of its `target_files`. Throws ConfigError, also when a file cannot be read.
ValidatedConfig load_file(const std::string& path, const Vocabulary& vocabulary);

// The text of a configuration file, up to a byte more than kMaxFileBytes. Throws ConfigError.
std::string read_configuration(const std::string& path);

// `name` stands for the file in messages. Reads no `target_files`.
ValidatedConfig load_text(std::string_view yaml, const std::string& name,
                          const Vocabulary& vocabulary);

// No file at all: one target named `default`, the server that libpq's environment names.
ValidatedConfig from_environment();

// The password of a target: first line of password_file, or the variable password_env, or nothing.
// Throws ConfigError when the file cannot be read, is empty, or the variable is not set.
std::optional<std::string> read_password(const Target& target);

// docs/configuration.md.
std::string reference_markdown();

}  // namespace pgconn::config
