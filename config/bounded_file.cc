#include "config/bounded_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace pgconn::config {
namespace {

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

std::string read(std::FILE* file, std::size_t limit) {
  std::string content(limit + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file));
  if (std::ferror(file) != 0) throw_errno();
  return content;
}

}  // namespace

std::optional<std::string> read_bounded_regular_file(const std::string& path, std::size_t limit) {
  // Without O_NONBLOCK, opening a named pipe waits for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw_errno();
  const File file(::fdopen(descriptor, "rb"));
  if (!file) {
    const int error = errno;
    ::close(descriptor);  // nothing else owns it yet
    throw std::system_error(error, std::generic_category());
  }
  struct ::stat status{};
  if (::fstat(descriptor, &status) != 0) throw_errno();
  // Reading a directory gives a better error.
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return std::nullopt;
  return read(file.get(), limit);
}

}  // namespace pgconn::config
