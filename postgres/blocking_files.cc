#include "postgres/blocking_files.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace pgconn::postgres {
namespace {

// A regular file ends. A directory fails at once. /dev/null is a usual way to say "none".
bool may_block(const struct stat& status) {
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return false;
  return !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3);
}

}  // namespace

void refuse_blocking_file(std::string_view keyword, const std::string& path) {
  struct stat status{};
  if (path.empty() || stat(path.c_str(), &status) != 0 || !may_block(status)) return;
  throw PgError(Phase::kConfig, Reason::kConfig, "",
                std::string(keyword) + " is " + path +
                    ", which is not a regular file and could block forever; name a regular file",
                true);
}

void refuse_blocking_files(const ConnInfo& conninfo) {
  for (const char* keyword : {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"}) {
    refuse_blocking_file(keyword, conninfo.file(keyword));
  }
}

}  // namespace pgconn::postgres
