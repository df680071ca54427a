// A certificate for localhost and its key, in files that end with it.
#pragma once

#include <ctime>
#include <string>

#include "config/web_config.h"
#include "tests/support/issued_certificate.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::exporter {

class TlsFiles {
 public:
  TlsFiles() {
    const std::int64_t now = std::time(nullptr);
    const auto made = test::issue({.common_name = "localhost",
                                   .sans = "DNS:localhost",
                                   .not_before = now - 3600,
                                   .not_after = now + 3600});
    write_certificate(made.pem);
    directory_.write("a.key", made.key_pem);
  }

  void write_certificate(const std::string& pem) const { directory_.write("a.crt", pem); }
  std::string certificate() const { return directory_.read("a.crt"); }

  config::WebTls settings() const {
    config::WebTls tls;
    tls.cert_file = directory_.path("a.crt");
    tls.key_file = directory_.path("a.key");
    return tls;
  }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace pgconn::exporter
