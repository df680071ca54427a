// What this binary is. Any thread.
#pragma once

#include <string>

namespace pgconn::exporter {

struct BuildInfo {
  std::string version;
  std::string revision;  // of the source; "unknown" if it was not built from a checkout
  std::string libpq;     // of the library loaded
  std::string openssl;   // of the library loaded
};

BuildInfo build_info();

}  // namespace pgconn::exporter
