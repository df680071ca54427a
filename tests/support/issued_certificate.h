// Certificates and revocation lists made on the spot, good and bad ones, for the length of one
// test.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pgconn::test {

struct CertificateRequest {
  std::string common_name;
  std::string sans{};  // as OpenSSL's configuration has them: "DNS:db,IP:10.0.0.1"; may be empty
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  bool authority = false;
  int rsa_bits = 0;  // 0 is an EC key on P-256
  long serial = 1;
};

struct IssuedCertificate {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
  std::string der;
  std::string pem;
  std::string key_pem;
};

namespace detail {

inline void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

inline std::string content(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

template <typename Write>
std::string written(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  require(bio && write(bio.get()) == 1, "writing");
  return content(bio.get());
}

inline void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

inline void add_common_name(X509_NAME* name, std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes,
                                     static_cast<int>(text.size()), -1, 0) == 1,
          "name");
}

}  // namespace detail

// Signed by `issuer`, or by itself without one.
inline IssuedCertificate issue(const CertificateRequest& request,
                               const IssuedCertificate* issuer = nullptr) {
  using detail::require;
  IssuedCertificate made;
  made.key.reset(request.rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(request.rsa_bits))
                                      : EVP_EC_gen("P-256"),
                 EVP_PKEY_free);
  made.certificate.reset(X509_new(), X509_free);
  X509* const certificate = made.certificate.get();
  require(made.key && certificate != nullptr, "key");
  X509* const signer = issuer == nullptr ? certificate : issuer->certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), request.serial);
  ASN1_TIME_set(X509_getm_notBefore(certificate), request.not_before);
  ASN1_TIME_set(X509_getm_notAfter(certificate), request.not_after);
  X509_set_pubkey(certificate, made.key.get());
  if (!request.common_name.empty()) {
    detail::add_common_name(X509_get_subject_name(certificate), request.common_name);
  }
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  detail::add_extension(certificate, signer, NID_basic_constraints,
                        request.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  detail::add_extension(certificate, signer, NID_subject_key_identifier, "hash");
  if (!request.sans.empty()) {
    detail::add_extension(certificate, signer, NID_subject_alt_name, request.sans);
  }
  EVP_PKEY* const signing_key = issuer == nullptr ? made.key.get() : issuer->key.get();
  require(X509_sign(certificate, signing_key, EVP_sha256()) > 0, "signature");

  made.der = detail::written([&](BIO* out) { return i2d_X509_bio(out, certificate); });
  made.pem = detail::written([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
  made.key_pem = detail::written([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return made;
}

// A revocation list of nothing in PEM; `next_update` 0 leaves the promise out.
inline std::string issue_crl(const IssuedCertificate& issuer, std::int64_t next_update) {
  using detail::require;
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> crl(X509_CRL_new(), X509_CRL_free);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_set(nullptr, 0),
                                                                   ASN1_TIME_free);
  require(crl && time, "revocation list");
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
  X509_CRL_set1_lastUpdate(crl.get(), time.get());
  if (next_update != 0) {
    ASN1_TIME_set(time.get(), next_update);
    X509_CRL_set1_nextUpdate(crl.get(), time.get());
  }
  require(X509_CRL_sign(crl.get(), issuer.key.get(), EVP_sha256()) > 0, "signature");
  return detail::written([&](BIO* out) { return PEM_write_bio_X509_CRL(out, crl.get()); });
}

}  // namespace pgconn::test
