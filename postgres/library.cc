#include "postgres/library.h"

#include <libpq-fe.h>

namespace pgconn::postgres {

std::string libpq_version() {
  const int version = PQlibVersion();
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

int libpq_major() { return PQlibVersion() / 10000; }

}  // namespace pgconn::postgres
