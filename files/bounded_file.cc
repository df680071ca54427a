#include "files/bounded_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace pgconn::files {
namespace {

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

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

// Files under /proc report size 0: most of them are read at once.
constexpr std::size_t kSmallestBuffer = 4096;

// `size` is the reported size. With room for one more byte a file of that length is read without
// growing the buffer, which would leave a copy of a secret behind.
std::string read_up_to(int fd, std::size_t size, std::size_t limit) {
  std::string content(std::min(std::max(size, kSmallestBuffer), limit) + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    const ssize_t count = ::read(fd, &content[filled], content.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno();
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
    if (filled > limit) break;
    if (filled == content.size()) content.resize(std::min(content.size() * 2, limit + 1));
  }
  content.resize(filled);
  return content;
}

}  // namespace

std::optional<std::string> read_bounded_regular_file(const std::string& path, std::size_t limit) {
  // Without O_NONBLOCK, opening a named pipe waits for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) throw_errno();
  struct ::stat status{};
  if (::fstat(file.get(), &status) != 0) throw_errno();
  // For a directory, the error from reading it is clearer.
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return std::nullopt;
  return read_up_to(file.get(), static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)),
                    limit);
}

}  // namespace pgconn::files
