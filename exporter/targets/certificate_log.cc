#include "exporter/targets/certificate_log.h"

#include "exporter/log/log.h"

namespace pgconn::exporter {

void log_certificates(const std::string& target, const probes::CertificateNews& news) {
  using What = probes::CertificateNews::What;
  switch (news.what) {
    case What::kRotated:
      log::write(log::Level::kInfo, "certificates were replaced",
                 {{"target", target}, {"source", news.source}, {"serial", news.detail}});
      return;
    case What::kWrong:
      log::write(log::Level::kWarn, "certificates are not in order",
                 {{"target", target}, {"source", news.source}, {"error", news.detail}});
      return;
    case What::kRight:
      log::write(log::Level::kInfo, "certificates are in order again",
                 {{"target", target}, {"source", news.source}});
      return;
  }
}

}  // namespace pgconn::exporter
