// Runs a program and reads what it prints, without blocking. The thread of the time source's
// executor only. What has not ended by its deadline is killed with everything that it started in
// its process group; no process is left behind.
#pragma once

#include <asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "async/time_source.h"

namespace pgconn::async {

struct Command {
  std::vector<std::string> words;  // the program, searched for in PATH, and its arguments; no shell
  std::vector<std::pair<std::string, std::string>> environment;  // on top of this process's own
  std::size_t most_output = std::size_t{64} * 1024;  // bytes; what exceeds it is cut off
};

struct CommandResult {
  std::string output;      // standard output, up to `most_output`
  std::string complaint;   // the first 500 bytes of standard error
  int status = 0;          // exit status, 128 + signal if a signal ended it
  bool timed_out = false;  // it was killed at the deadline
};

// Throws std::system_error if it cannot be started, or if the coroutine is cancelled: then it is
// killed, too.
asio::awaitable<CommandResult> run_command(TimeSource& time, Command command,
                                           Clock::time_point deadline);

}  // namespace pgconn::async
