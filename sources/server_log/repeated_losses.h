// A session whose client vanished says so in up to three entries (the TLS error, the socket's
// error, the open transaction): one loss. A value; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sources/server_log/classify.h"

namespace pgconn::server_log {

class RepeatedLosses {
 public:
  // Whether `classified` is one more entry about a connection_lost that was seen in the last ten
  // seconds. Goes by process number: without one in the log, nothing is a repetition. `now` stands
  // in for the entry's time if it has none.
  bool is_repeated(const Entry& entry, const Classified& classified, TimePoint now);

 private:
  struct Loss {
    std::int32_t pid = 0;
    TimePoint time{};
  };
  std::array<Loss, 64> last_{};  // a ring: many sessions may be lost at once, their lines mixed
  std::size_t next_ = 0;
};

}  // namespace pgconn::server_log
