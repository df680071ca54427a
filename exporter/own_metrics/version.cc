#include "exporter/own_metrics/version.h"

#include <openssl/crypto.h>

#include "postgres/library.h"

namespace pgconn::exporter {

BuildInfo build_info() {
  return {PGCONN_VERSION, PGCONN_REVISION, postgres::libpq_version(),
          OpenSSL_version(OPENSSL_VERSION_STRING)};
}

}  // namespace pgconn::exporter
