#include "sources/server_log/local_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

#include "files/matching_files.h"

namespace pgconn::server_log {
namespace {

TimePoint written_at(const struct stat& facts) {
  return TimePoint(std::chrono::seconds(facts.st_mtim.tv_sec)) +
         std::chrono::duration_cast<TimePoint::duration>(
             std::chrono::nanoseconds(facts.st_mtim.tv_nsec));
}

// Returns whether any file was found.
bool list_matches(const std::string& pattern, Listing& listing) {
  bool has_any = false;
  for (const std::string& path : files::matching_files(pattern)) {
    struct stat facts{};
    if (is_compressed(path) || ::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
      continue;
    }
    has_any = true;
    listing.try_emplace(FileId{facts.st_dev, facts.st_ino},
                        Listed{path, static_cast<std::uint64_t>(facts.st_size), written_at(facts)});
  }
  return has_any;
}

std::string head_of(int descriptor) {
  std::string head(kFingerprintBytes, '\0');
  const ssize_t got = ::pread(descriptor, head.data(), head.size(), 0);
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return head;
}

class LocalHandle final : public LogHandle {
 public:
  explicit LocalHandle(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  std::int64_t read(char* to, std::size_t most, std::uint64_t offset) override {
    return ::pread(descriptor_.number(), to, most, static_cast<off_t>(offset));
  }
  std::optional<std::uint64_t> size() const override {
    struct stat facts{};
    if (::fstat(descriptor_.number(), &facts) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(facts.st_size);
  }
  std::string head() const override { return head_of(descriptor_.number()); }

 private:
  Descriptor descriptor_;
};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

int Descriptor::release() { return std::exchange(number_, -1); }

Descriptor open_log(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

std::vector<Search> LocalStore::list(Listing& listing) {
  std::vector<Search> searches;
  for (const std::string& pattern : patterns_) {
    const bool found = list_matches(pattern, listing);
    searches.push_back({pattern, found,
                        "no file is found by '" + pattern +
                            "': see log_directory and log_filename, and whether this program may "
                            "enter that directory"});
  }
  return searches;
}

std::unique_ptr<LogHandle> LocalStore::open(const std::string& path, FileId id) {
  Descriptor opened = open_log(path);
  struct stat facts{};
  if (!opened.is_open() || ::fstat(opened.number(), &facts) != 0) return nullptr;
  // Another file may have got the name since the look at the directory: the next look shows that.
  if (FileId{facts.st_dev, facts.st_ino} != id) {
    errno = ENOENT;
    return nullptr;
  }
  return std::make_unique<LocalHandle>(std::move(opened));
}

std::optional<std::string> LocalStore::head_at(const std::string& path) const {
  const Descriptor opened = open_log(path);
  if (!opened.is_open()) return std::nullopt;
  return head_of(opened.number());
}

}  // namespace pgconn::server_log
