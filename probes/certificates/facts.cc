#include "probes/certificates/facts.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "probes/certificates/text.h"
#include "probes/certificates/verification.h"

namespace pgconn::probes {
namespace {

bool is_self_signed(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
}

// Judged by its content: a file may list certificates in any order.
Position position_of(X509* certificate) {
  if (X509_check_ca(certificate) == 0) return Position::kLeaf;
  return is_self_signed(certificate) ? Position::kRoot : Position::kIntermediate;
}

// Judged by its place: the first one is the server's, even if it is self-signed.
Position position_of(X509* certificate, std::size_t index) {
  if (index == 0) return Position::kLeaf;
  return is_self_signed(certificate) ? Position::kRoot : Position::kIntermediate;
}

CertificateFacts facts_of(X509* certificate, Position position) {
  CertificateFacts facts;
  facts.position = position;
  facts.serial = serial_text(certificate);
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  facts.key_type = key_type_text(certificate);
  const EVP_PKEY* const key = X509_get0_pubkey(certificate);
  facts.key_bits = key == nullptr ? 0 : EVP_PKEY_get_bits(key);
  facts.signature = signature_text(certificate);
  facts.sans = alternative_names_text(certificate);
  facts.not_before = unix_time(X509_get0_notBefore(certificate));
  facts.not_after = unix_time(X509_get0_notAfter(certificate));
  return facts;
}

std::string fingerprint_of(std::string_view der) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(der.data(), der.size(), digest, &length, EVP_sha256(), nullptr) != 1) return "";
  return {reinterpret_cast<const char*>(digest), length};
}

struct Parsed {
  std::vector<CertificatePtr> certificates;
  Fingerprints fingerprints;  // sorted
};

Parsed parse_all(std::span<const std::string> ders) {
  Parsed parsed;
  for (const std::string& der : ders) {
    CertificatePtr certificate = parse_certificate(der);
    if (!certificate) continue;
    parsed.certificates.push_back(std::move(certificate));
    parsed.fingerprints.push_back(fingerprint_of(der));
  }
  std::sort(parsed.fingerprints.begin(), parsed.fingerprints.end());
  return parsed;
}

void keep_earliest(std::optional<std::int64_t>& earliest, X509* certificate) {
  const std::optional<std::int64_t> end = unix_time(X509_get0_notAfter(certificate));
  if (end && (!earliest || *end < *earliest)) earliest = end;
}

}  // namespace

std::string_view to_string(Position position) {
  switch (position) {
    case Position::kLeaf:
      return "leaf";
    case Position::kIntermediate:
      return "intermediate";
    case Position::kRoot:
      return "root";
  }
  return "unknown";
}

ChainFacts server_chain_facts(std::span<const std::string> presented, X509_STORE* roots,
                              std::string_view host, std::int64_t now) {
  ChainFacts facts;
  Parsed parsed = parse_all(presented.first(std::min(presented.size(), kMaxCertificates)));
  facts.fingerprints = std::move(parsed.fingerprints);
  if (parsed.certificates.empty()) return facts;
  std::vector<CertificatePtr>& certificates = parsed.certificates;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    X509* const certificate = certificates[i].get();
    facts.certificates.push_back(facts_of(certificate, position_of(certificate, i)));
  }

  VerifiedPath path = verify_chain(certificates, roots, now);
  for (const CertificatePtr& certificate : path.certificates) {
    const bool known = std::any_of(
        certificates.begin(), certificates.end(),
        [&](const CertificatePtr& other) { return X509_cmp(other.get(), certificate.get()) == 0; });
    if (!known) {
      facts.certificates.push_back(facts_of(certificate.get(), position_of(certificate.get(), 1)));
    }
  }
  if (!path.verification.verified) {
    for (const CertificatePtr& certificate : certificates) {
      keep_earliest(facts.not_after, certificate.get());
    }
  }
  for (const CertificatePtr& certificate : path.certificates) {
    keep_earliest(facts.not_after, certificate.get());
  }
  facts.verification = std::move(path.verification);
  facts.hostname_match = matches_host(certificates.front().get(), host);
  ERR_clear_error();  // the queue is shared with libpq, which reads it
  return facts;
}

ChainFacts file_facts(std::span<const std::string> certificates) {
  ChainFacts facts;
  Parsed parsed = parse_all(certificates);
  facts.fingerprints = std::move(parsed.fingerprints);
  std::vector<std::pair<std::int64_t, X509*>> by_end;
  for (const CertificatePtr& certificate : parsed.certificates) {
    keep_earliest(facts.not_after, certificate.get());
    by_end.emplace_back(unix_time(X509_get0_notAfter(certificate.get()))
                            .value_or(std::numeric_limits<std::int64_t>::max()),
                        certificate.get());
  }
  if (by_end.size() > kMaxCertificates) {
    std::stable_sort(by_end.begin(), by_end.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    by_end.resize(kMaxCertificates);
  }
  for (const auto& [end, certificate] : by_end) {
    facts.certificates.push_back(facts_of(certificate, position_of(certificate)));
  }
  ERR_clear_error();  // the queue is shared with libpq, which reads it
  return facts;
}

bool rotated(const Fingerprints& before, const Fingerprints& after) {
  return !before.empty() && !after.empty() && before != after;
}

}  // namespace pgconn::probes
