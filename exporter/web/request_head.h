// A request's line and headers as bytes, before the HTTP server reads them. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgconn::exporter {

// As much as the HTTP server takes.
inline constexpr std::size_t kMostHeadBytes = 16 * 1024;

// A head while it arrives. Each byte is looked at once, however small the pieces are.
class RequestHead {
 public:
  // False once no more is needed: the head is complete, or the HTTP server will refuse what there
  // is, because it is too long or has a control character. Bytes after a complete head are left
  // out.
  bool add(std::string_view piece);

  const std::string& bytes() const { return bytes_; }

 private:
  bool ends_here(char c);

  std::string bytes_;
};

// The head with a target as the HTTP server understands it: the path of an absolute URI, whatever
// host it names (proxies send these), and `/` for `OPTIONS *`, which concerns the whole server.
std::string with_plain_target(const std::string& head);

}  // namespace pgconn::exporter
