#include "sources/server_log/listing.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace pgconn::server_log {
namespace {

bool is_compressed(std::string_view path) {
  constexpr std::array<std::string_view, 6> kSuffixes = {".gz", ".zst", ".bz2",
                                                         ".xz", ".lz4", ".Z"};
  return std::ranges::any_of(kSuffixes, [path](auto suffix) { return path.ends_with(suffix); });
}

TimePoint written_at(const struct stat& facts) {
  return TimePoint(std::chrono::seconds(facts.st_mtim.tv_sec)) +
         std::chrono::duration_cast<TimePoint::duration>(
             std::chrono::nanoseconds(facts.st_mtim.tv_nsec));
}

}  // namespace

bool list_logs(const std::string& pattern, Listing& listing) {
  glob_t found{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
  bool has_any = false;
  for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i) {
    const std::string path = found.gl_pathv[i];
    struct stat facts{};
    if (is_compressed(path) || ::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
      continue;
    }
    has_any = true;
    listing.try_emplace(FileId{facts.st_dev, facts.st_ino},
                        Listed{path, static_cast<std::uint64_t>(facts.st_size), written_at(facts)});
  }
  ::globfree(&found);
  return has_any;
}

}  // namespace pgconn::server_log
