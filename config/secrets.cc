// Passwords: from where they are kept to the caller, and never into a message.
#include <cstdlib>
#include <system_error>

#include "config/loader.h"
#include "files/bounded_file.h"

namespace pgconn::config {
namespace {

constexpr std::size_t kMaxSecretBytes = std::size_t{64} * 1024;

[[noreturn]] void fail(const Target& target, const std::string& source, const std::string& wrong) {
  throw ConfigError("target " + target.name + ": " + source + " " + wrong);
}

std::string read_password_file(const Target& target) {
  const std::string source = "password_file " + target.password_file;
  std::optional<std::string> content;
  try {
    content = files::read_bounded_regular_file(target.password_file, kMaxSecretBytes);
  } catch (const std::system_error& error) {
    fail(target, source,
         "cannot be read: " + error.code().message() +
             "; put the password on its first line and let the exporter's user read it");
  }
  if (!content) fail(target, source, "is not a regular file; put the password into one");
  if (content->size() > kMaxSecretBytes) {
    fail(target, source, "is larger than 64 KiB; put the password alone into it");
  }
  // Only the line end is not part of the password: spaces may be.
  std::string password = content->substr(0, content->find('\n'));
  if (password.ends_with('\r')) password.pop_back();
  if (password.empty()) fail(target, source, "has an empty first line; put the password there");
  if (password.find('\0') != std::string::npos) {
    fail(target, source, "has a NUL byte in its first line; a password is text");
  }
  return password;
}

}  // namespace

std::optional<std::string> read_password(const Target& target) {
  if (!target.password_file.empty()) return read_password_file(target);
  if (target.password_env.empty()) return std::nullopt;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): safe, since nothing here changes the environment.
  const char* password = std::getenv(target.password_env.c_str());
  if (password == nullptr || *password == '\0') {
    fail(target, "password_env " + target.password_env,
         password == nullptr ? "is not set; export the variable before the exporter starts"
                             : "is empty; put the password into the variable");
  }
  return password;
}

}  // namespace pgconn::config
