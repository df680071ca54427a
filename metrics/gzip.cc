#include <zlib.h>

#include <limits>
#include <memory>
#include <stdexcept>

#include "metrics/exposition.h"

namespace pgconn::metrics {

std::string gzip(std::string_view data) {
  constexpr int kGzipWindow = 15 + 16;  // the largest window; 16 asks for a gzip header
  constexpr int kDefaultMemory = 8;
  if (data.size() > std::numeric_limits<uInt>::max() / 2) {
    throw std::runtime_error("gzip: the data is too large for one call of zlib");
  }
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kDefaultMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("gzip: zlib cannot start, most likely for lack of memory");
  }
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> end(&stream, &deflateEnd);

  std::string out(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
    throw std::runtime_error("gzip: zlib did not finish");
  }
  out.resize(stream.total_out);
  return out;
}

}  // namespace pgconn::metrics
