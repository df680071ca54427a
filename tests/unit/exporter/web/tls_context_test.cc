#include "exporter/web/tls_context.h"

#include <sys/resource.h>

#include <chrono>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/exporter/web/tls_files.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;

// While it lives, no file can be opened.
class NoFileDescriptors {
 public:
  NoFileDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFileDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFileDescriptors(const NoFileDescriptors&) = delete;
  NoFileDescriptors& operator=(const NoFileDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("files that could not be read are tried again, and reported once") {
  const TlsFiles files;
  TlsCredentials credentials(files.settings());
  const auto first = credentials.context();
  const std::string certificate = files.certificate();
  const std::chrono::steady_clock::time_point begin{};
  files.write_certificate("gone");
  CHECK_FALSE(credentials.refresh(begin));
  CHECK(credentials.error().find("a.crt") != std::string::npos);
  CHECK(credentials.refresh(begin + 1s));
  CHECK(credentials.refresh(begin + 20s));
  CHECK(credentials.context() == first);
  files.write_certificate(certificate);
  CHECK(credentials.refresh(begin + 21s));
  CHECK(credentials.context() != first);
  CHECK(credentials.error().empty());
}

TEST_CASE(
    "files that could not be read because of a limit of ours are read later, though unchanged") {
  const TlsFiles files;
  TlsCredentials credentials(files.settings());
  const auto first = credentials.context();
  const std::chrono::steady_clock::time_point begin{};
  files.write_certificate(files.certificate());
  {
    const NoFileDescriptors none;
    CHECK_FALSE(credentials.refresh(begin));
  }
  CHECK(credentials.refresh(begin + 9s));
  CHECK(credentials.context() == first);
  CHECK(credentials.refresh(begin + 10s));
  CHECK(credentials.context() != first);
}

}  // namespace
}  // namespace pgconn::exporter
