#include "probes/certificates/text.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <string_view>

namespace pgconn::probes {
namespace {

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::string_view bytes_of(const ASN1_STRING* string) {
  const auto* const data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  const int length = ASN1_STRING_length(string);
  return data == nullptr || length <= 0 ? std::string_view()
                                        : std::string_view(data, static_cast<std::size_t>(length));
}

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

std::string address_text(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return "";
  return inet_ntop(family, bytes.data(), text, sizeof text) != nullptr ? text : "";
}

// Kinds that no client compares with a host name (directory names and the like) are left out.
std::string general_name_text(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_DNS:
      return ascii_text(bytes_of(name->d.dNSName));
    case GEN_EMAIL:
      return ascii_text(bytes_of(name->d.rfc822Name));
    case GEN_URI:
      return ascii_text(bytes_of(name->d.uniformResourceIdentifier));
    case GEN_IPADD:
      return address_text(bytes_of(name->d.iPAddress));
    default:
      return "";
  }
}

}  // namespace

std::string serial_text(const X509* certificate) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  std::string text(ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "");
  for (const char c : bytes_of(serial)) {
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
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::string joined;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && joined.size() <= kMaxCertificateText; ++i) {
    const std::string text = general_name_text(sk_GENERAL_NAME_value(names.get(), i));
    if (text.empty()) continue;
    if (!joined.empty()) joined += ',';
    joined += text;
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
