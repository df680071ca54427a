#include "x509/names.h"

#include <arpa/inet.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace pgconn::x509 {
namespace {

std::optional<NameKind> kind_of(int type) {
  switch (type) {
    case GEN_DNS:
      return NameKind::kDns;
    case GEN_EMAIL:
      return NameKind::kEmail;
    case GEN_URI:
      return NameKind::kUri;
    case GEN_IPADD:
      return NameKind::kAddress;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view bytes_of(const ASN1_STRING* string) {
  if (string == nullptr) return {};
  const auto* const data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  const int length = ASN1_STRING_length(string);
  if (data == nullptr || length <= 0) return {};
  return {data, static_cast<std::size_t>(length)};
}

std::string AlternativeName::text() const {
  if (kind != NameKind::kAddress) return bytes;
  if (bytes.size() != sizeof(in_addr) && bytes.size() != sizeof(in6_addr)) return "";
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> written{};
  const bool done = inet_ntop(family, bytes.data(), written.data(), written.size()) != nullptr;
  return done ? written.data() : "";
}

std::vector<AlternativeName> alternative_names(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  std::vector<AlternativeName> names;
  const int count = all ? sk_GENERAL_NAME_num(all.get()) : 0;
  for (int i = 0; i < count; ++i) {
    int type = 0;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &type);
    const std::optional<NameKind> kind = kind_of(type);
    if (!kind) continue;
    names.push_back({*kind, std::string(bytes_of(static_cast<const ASN1_STRING*>(value)))});
  }
  return names;
}

std::optional<std::string> common_name(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return std::nullopt;
  return std::string(bytes_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))));
}

}  // namespace pgconn::x509
