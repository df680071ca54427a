// One log file that is read as it grows. It survives being renamed and deleted (its handle stays
// open) and being truncated. One thread; reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sources/server_log/log_store.h"
#include "sources/server_log/parser.h"
#include "sources/server_log/position.h"

namespace pgconn::server_log {

class FollowedFile {
 public:
  // `offset`: where to begin. The file is opened with the first read(). `store` must outlive it.
  FollowedFile(LogStore& store, FileId id, std::string path, std::uint64_t offset,
               Fingerprint print, std::unique_ptr<Parser> parser);

  enum class Read { kMore, kEnd, kDenied, kFailed };

  // Reads and parses at most `most` bytes. kMore: there may be more, or it is not here yet. kDenied
  // and kFailed: `error()` says why.
  Read read(std::size_t most, const Sink& sink);

  // Takes what the directory now says about it. If `size` is less than what was read, or the
  // beginning differs, it was truncated or its inode reused: pending entries are given out, and
  // reading starts over. In that case returns its previous position.
  // `is_touched`: it was written to since the last time.
  std::optional<Position> refresh(const std::string& path, std::uint64_t size, bool is_touched,
                                  const Sink& sink);

  // The same for a file that is no longer listed: asks the open file. One that is gone for good is
  // like one that was truncated.
  std::optional<Position> refresh_gone(const Sink& sink);

  void close() { handle_.reset(); }
  bool is_open() const { return handle_ != nullptr; }
  Parser& parser() { return *parser_; }
  const Parser& parser() const { return *parser_; }
  FileId id() const { return id_; }
  const std::string& path() const { return path_; }
  int error() const { return error_; }
  std::uint64_t unread() const { return size_ > offset_ ? size_ - offset_ : 0; }
  std::uint64_t taken() const { return offset_; }  // bytes read so far
  Position position() const { return {id_, path_, offset_ - parser_->pending(), print_}; }
  // Starts at another offset; nothing may have been read yet.
  void start_at(std::uint64_t offset) { offset_ = offset; }

 private:
  bool open();
  std::optional<Position> noticed(std::uint64_t size, const Sink& sink);
  Position start_over(const Sink& sink);

  LogStore& store_;
  FileId id_;
  std::string path_;
  std::unique_ptr<LogHandle> handle_;
  std::uint64_t offset_;
  std::uint64_t size_ = 0;
  Fingerprint print_;
  std::unique_ptr<Parser> parser_;
  std::string buffer_;
  int error_ = 0;
};

}  // namespace pgconn::server_log
