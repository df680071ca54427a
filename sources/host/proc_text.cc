#include "sources/host/proc_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace pgconn::host {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

FileText unreadable(const std::string& path, int number) {
  return {"", "cannot read " + path + ": " + errno_text(number)};
}

}  // namespace

std::string errno_text(int number) { return std::generic_category().message(number); }

FileText read_proc_file(const std::string& path, std::size_t limit) {
  // Without O_NONBLOCK a named pipe would block the thread until somebody writes to it.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct ::stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return unreadable(path, errno);
  if (!S_ISREG(status.st_mode)) return {"", path + " is not a regular file"};
  // Files under /proc have size 0: only reading shows where one ends.
  constexpr std::size_t kStep = 4096;
  FileText file_text;
  std::size_t filled = 0;
  while (true) {
    file_text.text.resize(filled + kStep);
    const ssize_t count = ::read(file.get(), &file_text.text[filled], kStep);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(path, errno);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > limit) return {"", path + " is longer than expected"};
  }
  file_text.text.resize(filled);
  return file_text;
}

std::optional<std::int64_t> only_number(std::string_view text) {
  const auto found = words(text);
  return found.size() == 1 ? number<std::int64_t>(found.front()) : std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n";
  std::vector<std::string_view> found;
  for (std::size_t start = text.find_first_not_of(kSpaces); start != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpaces, start), text.size());
    found.push_back(text.substr(start, end - start));
    start = text.find_first_not_of(kSpaces, end);
  }
  return found;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto found = words(take_line(text));
    if (found.size() >= 2 && found[0] == key) return number<std::uint64_t>(found[1]);
  }
  return std::nullopt;
}

}  // namespace pgconn::host
