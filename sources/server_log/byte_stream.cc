#include "sources/server_log/byte_stream.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace pgconn::server_log {
namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10;

bool is_readable(int descriptor) {
  pollfd watched{descriptor, POLLIN, 0};
  return ::poll(&watched, 1, 0) > 0 && watched.revents != 0;
}

}  // namespace

ByteStream::Read ByteStream::read(std::size_t most,
                                  const std::function<void(std::string_view)>& take) {
  if (descriptor_ < 0) return Read::kEnd;
  buffer_.resize(std::min(kChunk, most));
  bool has_any = false;
  // A readable pipe gives what it has without waiting, as long as nobody else reads from it.
  while (most > 0 && is_readable(descriptor_)) {
    const ssize_t got = ::read(descriptor_, buffer_.data(), std::min(buffer_.size(), most));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) error_ = errno;
    if (got <= 0) {
      descriptor_ = -1;
      return got == 0 ? Read::kEnd : Read::kFailed;
    }
    has_any = true;
    const auto length = static_cast<std::size_t>(got);
    take(std::string_view(buffer_).substr(0, length));
    most -= std::min(most, length);
  }
  if (most == 0) return Read::kMore;
  return has_any ? Read::kSome : Read::kNothing;
}

std::uint64_t ByteStream::waiting() const {
  int bytes = 0;
  if (descriptor_ < 0 || ::ioctl(descriptor_, FIONREAD, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace pgconn::server_log
