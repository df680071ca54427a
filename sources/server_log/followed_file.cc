#include "sources/server_log/followed_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pgconn::server_log {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

}  // namespace

FollowedFile::FollowedFile(LogStore& store, FileId id, std::string path, std::uint64_t offset,
                           Fingerprint print, std::unique_ptr<Parser> parser)
    : store_(store),
      id_(id),
      path_(std::move(path)),
      offset_(offset),
      print_(print),
      parser_(std::move(parser)) {}

bool FollowedFile::open() {
  if (!handle_) handle_ = store_.open(path_, id_);
  if (!handle_) error_ = errno;
  return handle_ != nullptr;
}

FollowedFile::Read FollowedFile::read(std::size_t most, const Sink& sink) {
  if (!open()) return error_ == EACCES || error_ == EPERM ? Read::kDenied : Read::kFailed;
  buffer_.resize(std::min(kChunk, most));
  while (most > 0) {
    const std::size_t wanted = std::min(buffer_.size(), most);
    const std::int64_t got = handle_->read(buffer_.data(), wanted, offset_);
    if (got < 0) {
      error_ = errno;
      return Read::kFailed;
    }
    if (got == 0) {
      buffer_ = {};
      return unread() > 0 ? Read::kMore : Read::kEnd;
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
                                              bool is_touched, const Sink& sink) {
  path_ = path;
  if (!is_touched && size == size_ && size == offset_) return std::nullopt;
  return noticed(size, sink);
}

std::optional<Position> FollowedFile::refresh_gone(const Sink& sink) {
  if (!handle_) return std::nullopt;
  const auto size = handle_->size();
  if (size) return noticed(*size, sink);
  handle_.reset();
  size_ = 0;
  return start_over(sink);
}

// What comes next is another file's beginning. Returns where this one was.
Position FollowedFile::start_over(const Sink& sink) {
  parser_->flush(sink);
  const Position before = position();  // an unfinished line may be whole in a copy
  parser_->finish(sink);
  offset_ = 0;
  print_ = {};
  return before;
}

std::optional<Position> FollowedFile::noticed(std::uint64_t size, const Sink& sink) {
  size_ = size;
  std::string head;
  if (open()) head = handle_->head();
  const bool is_another = size < offset_ || (handle_ && !is_same_beginning(print_, head));
  std::optional<Position> before;
  if (is_another) before = start_over(sink);
  if (head.size() > print_.length) print_ = fingerprint_of(head);
  return before;
}

}  // namespace pgconn::server_log
