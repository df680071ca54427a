// Bytes that come through a descriptor and cannot be read again: a pipe, standard input. Reads only
// what is there, so it never waits. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pgconn::server_log {

class ByteStream {
 public:
  // `descriptor` must stay open for as long as this lives; -1: there is none.
  explicit ByteStream(int descriptor) : descriptor_(descriptor) {}

  enum class Read { kNothing, kSome, kMore, kEnd, kFailed };

  // Gives `take` what is there, at most about `most` bytes. kNothing: there was nothing; kSome: all
  // that was there; kMore: there may be more. After kEnd and kFailed nothing more comes.
  Read read(std::size_t most, const std::function<void(std::string_view)>& take);

  // Bytes that are there and not read yet, as far as the kernel tells.
  std::uint64_t waiting() const;
  int descriptor() const { return descriptor_; }
  int error() const { return error_; }  // of kFailed

 private:
  int descriptor_;
  std::string buffer_;
  int error_ = 0;
};

}  // namespace pgconn::server_log
