#include "sources/server_log/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "sources/server_log/byte_stream.h"

namespace pgconn::server_log {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kGrace(500);
constexpr milliseconds kStep(5);
constexpr std::size_t kMostSaid = 500;
constexpr int kPipeBytes = 1 << 20;
constexpr int kNotStarted = 127;  // as shells have it

struct Pipe {
  Descriptor reading, writing;
  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw std::runtime_error(std::string("no pipe to be had: ") + std::strerror(errno));
    }
    reading = Descriptor(ends[0]);
    writing = Descriptor(ends[1]);
  }
};

// In the child, where only calls that are safe after fork() are allowed.
[[noreturn]] void become(char* const* words, char* const* environment, int output, int errors,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotStarted);  // it died before that
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::execvpe(words[0], words, environment);
  ::_exit(kNotStarted);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Child::Child(const std::vector<std::string>& words) {
  Pipe output, errors;
  ::fcntl(output.reading.number(), F_SETPIPE_SZ, kPipeBytes);  // as far as it is allowed
  std::vector<std::string> own = words;
  const char* path = std::getenv("PATH");
  std::vector<std::string> environment = {
      std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin"), "LC_ALL=C"};
  const std::vector<char*> argv = pointers(own);
  const std::vector<char*> envp = pointers(environment);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0)
    throw std::runtime_error(std::string("no process to be had: ") + std::strerror(errno));
  if (pid_ == 0) {
    become(argv.data(), envp.data(), output.writing.number(), errors.writing.number(), parent);
  }
  output_ = std::move(output.reading);
  errors_ = std::move(errors.reading);
}

Child::~Child() {
  if (has_ended()) return;
  ::kill(pid_, SIGTERM);
  for (milliseconds waited(0); waited < kGrace; waited += kStep) {
    if (has_ended()) return;
    std::this_thread::sleep_for(kStep);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Child::has_ended() {
  if (pid_ < 0) return true;
  const pid_t got = ::waitpid(pid_, nullptr, WNOHANG);
  if (got == pid_ || (got < 0 && errno == ECHILD)) pid_ = -1;
  return pid_ < 0;
}

std::string Child::errors() {
  ByteStream stream(errors_.number());
  stream.read(std::size_t{64} << 10, [this](std::string_view bytes) {
    for (const char c : bytes) said_ += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    if (said_.size() > kMostSaid) said_.erase(0, said_.size() - kMostSaid);
  });
  return said_;
}

}  // namespace pgconn::server_log
