// Whether a chain leads to a trusted root, and whether a certificate is for a host: two separate
// questions, so that neither answer hides the other. Internal to probes/: the public face is
// certificate_facts.h. Pure; any thread.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "probes/certificates/facts.h"

namespace pgconn::probes {

struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;

// Null if `der` is not a certificate. Data after it (OpenSSL's trust settings) is ignored.
CertificatePtr parse_certificate(std::string_view der);

struct VerifiedPath {
  Verification verification;
  // From the leaf towards a root, as far as it could be built, expired or not.
  std::vector<CertificatePtr> certificates;
};

// Verifies the chain (leaf first, not empty) for a TLS server at Unix time `now`. Weak keys are not
// an error: they would hide the real one. `roots` may be null.
VerifiedPath verify_chain(std::span<const CertificatePtr> chain, X509_STORE* roots,
                          std::int64_t now);

// As libpq's verify-full decides (15 and later): a name is compared with the DNS names, an address
// with the IP addresses and, as text, with the DNS names; the common name counts if there is no
// entry of the host's kind. A wildcard stands for the whole first label.
bool matches_host(const X509* certificate, std::string_view host);

}  // namespace pgconn::probes
