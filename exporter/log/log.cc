#include "exporter/log/log.h"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/log/log_queue.h"

namespace pgconn::exporter::log {
namespace {

std::atomic<Format> configured_format = Format::kLogfmt;
std::atomic<LogQueue*> queue = nullptr;  // leaked on purpose, as is the logger

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Leaked on purpose: threads and destructors may still log while the process exits.
spdlog::logger& logger() {
  static spdlog::logger& instance = []() -> spdlog::logger& {
    auto made =
        std::make_unique<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    // spdlog's own handler would print to the very stream that failed.
    made->set_error_handler([](const std::string&) {});
    return *made.release();
  }();
  return instance;
}

}  // namespace

void configure(Level level, Format format) {
  std::signal(SIGPIPE, SIG_IGN);
  configured_format = format;
  logger().set_level(spdlog_level(level));
}

void start_queue() {
  queue =
      new LogQueue([](const std::string& line) { logger().log(spdlog::level::critical, line); },
                   [](std::uint64_t dropped) {
                     const std::string lines = std::to_string(dropped);
                     const Field fields[] = {
                         {"lines", lines}, {"do", "make the reader of standard error read faster"}};
                     return format({std::chrono::system_clock::now(), Level::kWarn,
                                    "log lines were dropped: nobody read them", fields},
                                   configured_format);
                   });
}

void drain(std::chrono::milliseconds patience) noexcept {
  LogQueue* const started = queue;
  if (started != nullptr) static_cast<void>(started->drain(patience));
}

std::uint64_t lines_dropped() {
  LogQueue* const started = queue;
  return started == nullptr ? 0 : started->dropped();
}

bool enabled(Level level) { return logger().should_log(spdlog_level(level)); }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) noexcept {
  try {
    if (!enabled(level)) return;
    std::vector<Field> told;
    std::copy_if(fields.begin(), fields.end(), std::back_inserter(told),
                 [](const Field& field) { return !field.second.empty(); });
    const Record record{std::chrono::system_clock::now(), level, message, told};
    std::string line = format(record, configured_format);
    LogQueue* const started = queue;
    if (started != nullptr) {
      started->push(std::move(line));
    } else {
      logger().log(spdlog_level(level), line);
    }
  } catch (...) {  // out of memory; a log line is not worth the process
    return;
  }
}

void write_if_room(Level level, std::string_view message,
                   std::initializer_list<Field> fields) noexcept {
  try {
    const Record record{std::chrono::system_clock::now(), level, message, fields};
    const std::string line = format(record, configured_format) + "\n";
    // A writable pipe has room for a whole short line.
    pollfd stream{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&stream, 1, 0) != 1 || (stream.revents & POLLOUT) == 0) return;
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
  } catch (...) {
    return;
  }
}

}  // namespace pgconn::exporter::log
