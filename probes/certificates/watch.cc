#include "probes/certificates/watch.h"

#include <utility>

namespace pgconn::probes {

std::string wrong_with(const ChainFacts& facts, std::string_view host,
                       std::string_view roots_error) {
  std::string wrong;
  if (facts.verification && !facts.verification->verified) {
    wrong = facts.verification->error;
    if (!roots_error.empty()) wrong += " (" + std::string(roots_error) + ")";
  }
  if (facts.hostname_match == false) {
    wrong += (wrong.empty() ? "" : ", and ") + ("not for the host " + std::string(host));
  }
  return wrong;
}

CertificateWatch::CertificateWatch(std::string source) { source_.name = std::move(source); }

std::vector<CertificateNews> CertificateWatch::take(CertificateLook look) {
  using What = CertificateNews::What;
  std::vector<CertificateNews> news;
  has_looked_ = true;
  source_.readable = look.readable;
  if (!look.facts.certificates.empty() || !look.crls.empty()) {
    if (rotated(source_.facts.fingerprints, look.facts.fingerprints)) {
      news.push_back({What::kRotated, source_.name, look.facts.certificates.front().serial});
    }
    source_.facts = std::move(look.facts);
    source_.crls = std::move(look.crls);
  }
  if (look.wrong != wrong_) {
    wrong_ = std::move(look.wrong);
    news.push_back({wrong_.empty() ? What::kRight : What::kWrong, source_.name, wrong_});
  }
  return news;
}

}  // namespace pgconn::probes
