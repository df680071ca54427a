#include <zlib.h>

#include <random>
#include <string>

#include "metrics/exposition.h"
#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

// Unpacks one gzip member; empty if it is not one that ends where the data end.
std::string unpacked(const std::string& data, std::size_t size) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  CHECK(whole);
  return out;
}

TEST_CASE("compressed data unpacks to the same, even if it is empty or does not shrink") {
  std::string noise(300000, '\0');
  std::mt19937 random(5);
  for (char& byte : noise) byte = static_cast<char>(random());
  const std::string lines(1000000, 'x');
  for (const std::string& data : {std::string(), std::string("a"), noise, lines}) {
    CHECK(unpacked(gzip(data), data.size()) == data);
  }
  CHECK(gzip(lines).size() < 20000);
}

}  // namespace
}  // namespace pgconn::metrics
