#include "probes/certificates/text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <string_view>

#include "x509/names.h"

namespace pgconn::probes {
namespace {

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string cut(std::string text) {
  if (text.size() <= kMaxCertificateText) return text;
  std::size_t end = kMaxCertificateText;
  // Do not cut inside a multi-byte character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

// An IA5String must not contain bytes above 0x7F, but nobody has checked that.
std::string ascii_text(std::string_view bytes) {
  std::string text(bytes.substr(0, kMaxCertificateText + 1));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  return text;
}

}  // namespace

std::string serial_text(const X509* certificate) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  std::string text(ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "");
  for (const char c : x509::bytes_of(serial)) {
    if (text.size() > kMaxCertificateText) break;
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return cut(std::move(text));
}

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, BioDeleter> out(BIO_new(BIO_s_mem()));
  // UTF-8 as it is, rather than every byte of it escaped.
  constexpr unsigned long kFlags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!out || X509_NAME_print_ex(out.get(), name, 0, kFlags) < 0) return "";
  char* data = nullptr;
  const long length = BIO_get_mem_data(out.get(), &data);
  return length <= 0 ? "" : cut(std::string(data, static_cast<std::size_t>(length)));
}

std::string alternative_names_text(const X509* certificate) {
  std::string joined;
  for (const x509::AlternativeName& name : x509::alternative_names(certificate)) {
    const std::string text = ascii_text(name.text());
    if (text.empty()) continue;
    if (!joined.empty()) joined += ',';
    joined += text;
    if (joined.size() > kMaxCertificateText) break;
  }
  return cut(std::move(joined));
}

std::string key_type_text(const X509* certificate) {
  const EVP_PKEY* const key = X509_get0_pubkey(certificate);
  const char* const name = key == nullptr ? nullptr : EVP_PKEY_get0_type_name(key);
  return name == nullptr ? "unknown" : name;
}

std::string signature_text(const X509* certificate) {
  const int nid = X509_get_signature_nid(certificate);
  const char* const name = nid == NID_undef ? nullptr : OBJ_nid2ln(nid);
  return name == nullptr ? "unknown" : name;
}

std::optional<std::int64_t> unix_time(const ASN1_TIME* time) {
  std::tm parts{};
  // For a null time ASN1_TIME_to_tm() returns the current time.
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

}  // namespace pgconn::probes
