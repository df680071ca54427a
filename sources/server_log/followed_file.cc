#include "sources/server_log/followed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pgconn::server_log {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

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

std::string head_of(int descriptor) {
  std::string head(kFingerprintBytes, '\0');
  const ssize_t got = ::pread(descriptor, head.data(), head.size(), 0);
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return head;
}

Descriptor open_log(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

FollowedFile::FollowedFile(FileId id, std::string path, std::uint64_t offset, Fingerprint print,
                           std::unique_ptr<Parser> parser)
    : id_(id), path_(std::move(path)), offset_(offset), print_(print), parser_(std::move(parser)) {}

bool FollowedFile::open() {
  if (descriptor_.is_open()) return true;
  Descriptor opened = open_log(path_);
  struct stat facts{};
  if (!opened.is_open() || ::fstat(opened.number(), &facts) != 0) {
    error_ = errno;
    return false;
  }
  // Another file may have got the name since the look at the directory: the next look shows that.
  if (FileId{facts.st_dev, facts.st_ino} != id_) {
    error_ = ENOENT;
    return false;
  }
  descriptor_ = std::move(opened);
  return true;
}

FollowedFile::Read FollowedFile::read(std::size_t most, const Sink& sink) {
  if (!open()) return error_ == EACCES || error_ == EPERM ? Read::kDenied : Read::kFailed;
  buffer_.resize(std::min(kChunk, most));
  while (most > 0) {
    const std::size_t wanted = std::min(buffer_.size(), most);
    const ssize_t got =
        ::pread(descriptor_.number(), buffer_.data(), wanted, static_cast<off_t>(offset_));
    if (got < 0) {
      error_ = errno;
      return Read::kFailed;
    }
    if (got == 0) {
      buffer_ = {};
      return Read::kEnd;
    }
    const auto length = static_cast<std::size_t>(got);
    offset_ += length;
    size_ = std::max(size_, offset_);
    parser_->feed(std::string_view(buffer_).substr(0, length), sink);
    most -= length;
  }
  return Read::kMore;
}

std::optional<Position> FollowedFile::refresh(const std::string& path, std::uint64_t size,
                                              const Sink& sink) {
  path_ = path;
  if (size == size_ && size == offset_) return std::nullopt;
  return noticed(size, sink);
}

std::optional<Position> FollowedFile::refresh_gone(const Sink& sink) {
  struct stat facts{};
  if (!descriptor_.is_open() || ::fstat(descriptor_.number(), &facts) != 0) return std::nullopt;
  return noticed(static_cast<std::uint64_t>(facts.st_size), sink);
}

std::optional<Position> FollowedFile::noticed(std::uint64_t size, const Sink& sink) {
  size_ = size;
  std::string head;
  if (open()) head = head_of(descriptor_.number());
  const bool is_another =
      size < offset_ || (descriptor_.is_open() && !is_same_beginning(print_, head));
  std::optional<Position> before;
  if (is_another) {
    parser_->flush(sink);
    before = position();  // an unfinished line may be whole in a copy
    parser_->finish(sink);
    offset_ = 0;
    print_ = {};
  }
  if (head.size() > print_.length) print_ = fingerprint_of(head);
  return before;
}

}  // namespace pgconn::server_log
