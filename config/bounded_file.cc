#include "config/bounded_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace pgconn::config {
namespace {

[[noreturn]] void throw_errno() { throw std::system_error(errno, std::generic_category()); }

}  // namespace

std::string read_bounded_file(const std::string& path, std::size_t limit) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw_errno();
  std::string content(limit + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw_errno();
  return content;
}

}  // namespace pgconn::config
