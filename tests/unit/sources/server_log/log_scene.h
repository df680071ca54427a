// A directory of logs, and what follows them.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sources/server_log/follower.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {

using Strings = std::vector<std::string>;

// A line long enough that its file has a beginning of its own.
inline std::string line(const std::string& message) {
  return "2026-11-29 13:36:11.315 UTC [7] LOG:  " + message + " " + std::string(60, '.') + "\n";
}

// A directory of logs, and one follower after another that reads it.
class LogScene {
 public:
  LogScene() { start(); }

  // A follower that knows nothing, or what the last one left.
  void start() { make(std::nullopt); }
  void restart() { make(History{now_, follower_->positions()}); }

  void append(const std::string& name, const std::string& text) {
    std::ofstream(directory_.path(name), std::ios::app) << text;
  }
  void truncate(const std::string& name) { std::filesystem::resize_file(directory_.path(name), 0); }
  void rename(const std::string& from, const std::string& to) {
    std::filesystem::rename(directory_.path(from), directory_.path(to));
  }
  void copy(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(directory_.path(from), directory_.path(to));
  }
  void remove(const std::string& name) { std::filesystem::remove(directory_.path(name)); }
  std::string path(const std::string& name) const { return directory_.path(name); }

  // Polls twice: the last entry of a file waits for the second. The first words of what came.
  Strings poll(std::size_t most = 1 << 20) {
    Collected collected;
    for (int i = 0; i < 2; ++i) {
      now_ += std::chrono::seconds(1);
      while (follower_->poll(now_, most, collected.sink())) {
      }
    }
    Strings result;
    for (const std::string& message : collected.messages()) {
      result.push_back(message.substr(0, message.find(' ')));
    }
    return result;
  }
  std::string problems() {
    std::string all;
    for (const Problem& problem : follower_->take_problems()) all += problem.text + "\n";
    return all;
  }
  void wait(std::chrono::seconds time) { now_ += time; }
  Follower& follower() { return *follower_; }
  TimePoint now() const { return now_; }
  void pattern(const std::string& pattern) { pattern_ = pattern; }

 private:
  void make(std::optional<History> history) {
    follower_ = std::make_unique<Follower>(Strings{directory_.path(pattern_)}, Prefix("%m [%p] "),
                                           std::move(history));
  }

  test::TemporaryDirectory directory_;
  std::string pattern_ = "*.log*";
  TimePoint now_ = std::chrono::system_clock::now();
  std::unique_ptr<Follower> follower_;
};

}  // namespace pgconn::server_log
