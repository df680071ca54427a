#include "sources/server_log/position.h"

#include <algorithm>

namespace pgconn::server_log {

Fingerprint fingerprint_of(std::string_view head, std::size_t length) {
  head = head.substr(0, std::min(length, kFingerprintBytes));
  std::uint64_t hash = Fingerprint{}.hash;
  for (const char c : head) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return {static_cast<std::uint32_t>(head.size()), hash};
}

bool is_same_beginning(const Fingerprint& print, std::string_view head) {
  return head.size() >= print.length && fingerprint_of(head, print.length) == print;
}

}  // namespace pgconn::server_log
