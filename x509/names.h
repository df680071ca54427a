// The names in a certificate, as its maker wrote them: of any length, with any bytes in them.
// Whoever shows them has to bound them. Pure; any thread.
#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::x509 {

enum class NameKind { kDns, kEmail, kUri, kAddress };

struct AlternativeName {
  NameKind kind;
  std::string bytes;  // text; of an address, its 4 or 16 bytes

  // As text: an address as inet_ntop() writes it, or nothing if it is neither 4 nor 16 bytes long.
  std::string text() const;
};

// The subject alternative names, in the certificate's order. Kinds that nobody compares with a host
// (directory names and the like) are left out.
std::vector<AlternativeName> alternative_names(const X509* certificate);

// The first common name of the subject; nullopt if it has none.
std::optional<std::string> common_name(const X509* certificate);

// What a string of ASN.1 contains, for as long as it lives; empty if it is null.
std::string_view bytes_of(const ASN1_STRING* string);

}  // namespace pgconn::x509
