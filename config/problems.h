// What is wrong with one configuration file, collected so that all of it can be fixed in one go.
// Each loading owns one; no locks, so one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace pgconn::config {

class Problems {
 public:
  // `file` is the name that messages begin with.
  explicit Problems(std::string file) : file_(std::move(file)) {}

  // `line` is 1-based, 0 if there is none; `path` is like `targets[2].name`, empty for the file as
  // a whole. `message` says what is wrong and what is allowed, and never holds a secret.
  void add(int line, std::string_view path, std::string_view message);

  // For an error after which it is pointless to go on: adds it, then throws ConfigError with all.
  [[noreturn]] void fail(int line, std::string_view path, std::string_view message);

  // Throws ConfigError if there is a problem: one line each in the file's order, the first 20.
  void throw_if_any() const;

 private:
  [[noreturn]] void throw_all() const;

  std::string file_;
  std::multimap<int, std::string> problems_;  // by line; within a line, in the order found
};

}  // namespace pgconn::config
