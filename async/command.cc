#include "async/command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <map>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

// NOLINTNEXTLINE(readability-redundant-declaration): POSIX leaves it to the program
extern char** environ;

namespace pgconn::async {
namespace {

constexpr std::size_t kMostComplaint = 500;
// Between looks whether a program has ended that has closed its output.
constexpr std::chrono::milliseconds kBetweenLooks(5);

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "no pipe");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (ends.at(end) >= 0) close(ends.at(end));
    ends.at(end) = -1;
  }
  int release(std::size_t end) { return std::exchange(ends.at(end), -1); }

  std::array<int, 2> ends{-1, -1};  // to read, to write
};

// "NAME=VALUE", ours instead of those of the process.
std::vector<std::string> environment_of(const Command& command) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      all[std::string(text.substr(0, equals))] = text.substr(equals + 1);
    }
  }
  for (const auto& [name, value] : command.environment) all[name] = value;
  std::vector<std::string> entries;
  for (const auto& [name, value] : all) entries.emplace_back(name).append("=").append(value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

struct SpawnSettings {
  SpawnSettings(int output, int complaints) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);  // a group of its own, to be killed as a whole
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// A process that is killed and waited for at the end of the scope, if it has not ended by then.
class Child {
 public:
  Child(Command& command, int output, int complaints) {
    const SpawnSettings settings(output, complaints);
    std::vector<std::string> environment = environment_of(command);
    const int error =
        posix_spawnp(&pid_, command.words.front().c_str(), &settings.actions, &settings.attributes,
                     pointers(command.words).data(), pointers(environment).data());
    if (error != 0) fail(error, "it cannot be started");
  }
  ~Child() {
    if (ended_) return;
    kill();
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill() const { ::kill(-pid_, SIGKILL); }

  // Whether it has ended; then `status` is known.
  bool has_ended() {
    int status = 0;
    if (!ended_ && waitpid(pid_, &status, WNOHANG) == pid_) {
      ended_ = true;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return ended_;
  }
  int status() const { return status_; }

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

// Reads one output to its end. Shared with the handler under way, which may run after the others
// have gone.
class Output : public std::enable_shared_from_this<Output> {
 public:
  Output(const asio::any_io_executor& executor, int fd, std::size_t most)
      : stream_(executor, fd), most_(most) {}

  void read() {
    stream_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](asio::error_code error, std::size_t count) {
                              self->ended_ = static_cast<bool>(error);
                              if (error) return;
                              const std::size_t room = self->most_ - self->text_.size();
                              self->text_.append(self->buffer_.data(), std::min(count, room));
                              self->read();
                            });
  }
  bool ended() const { return ended_; }
  // No more is read.
  std::string take() {
    asio::error_code ignored;
    static_cast<void>(stream_.close(ignored));
    return std::move(text_);
  }

 private:
  asio::posix::stream_descriptor stream_;
  std::size_t most_;
  std::array<char, 4096> buffer_{};
  std::string text_;
  bool ended_ = false;
};

// Takes what was read, also when its coroutine is cancelled: nothing may go on reading then.
struct Reading {
  Reading(const asio::any_io_executor& executor, int fd, std::size_t most)
      : output(std::make_shared<Output>(executor, fd, most)) {
    output->read();
  }
  ~Reading() { output->take(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  std::shared_ptr<Output> output;
};

}  // namespace

asio::awaitable<CommandResult> run_command(TimeSource& time, Command command,
                                           Clock::time_point deadline) {
  CommandResult result;
  Pipe output, complaints;
  Child child(command, output.ends[1], complaints.ends[1]);
  output.close_end(1);
  complaints.close_end(1);
  const Reading printed(time.executor(), output.release(0), command.most_output);
  const Reading complained(time.executor(), complaints.release(0), kMostComplaint);
  // What it started may hold its output open: the program itself decides.
  while (!child.has_ended() && time.now() < deadline) {
    co_await time.sleep_until(std::min(deadline, time.now() + kBetweenLooks));
  }
  result.timed_out = !child.has_ended();
  if (result.timed_out) child.kill();
  // What it printed last may still be in the pipe.
  const auto last = time.now() + std::chrono::milliseconds(200);
  while (!(printed.output->ended() && complained.output->ended()) && time.now() < last) {
    co_await time.sleep_until(time.now() + kBetweenLooks);
  }
  result.output = printed.output->take();
  result.complaint = complained.output->take();
  result.status = child.status();
  co_return result;
}

}  // namespace pgconn::async
