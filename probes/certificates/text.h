// X.509 fields as label values: short, bounded whatever a peer put into its certificate. Internal
// to probes/: the public face is certificate_facts.h. Pure; any thread.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pgconn::probes {

// A longer text is cut there and ends in "…".
inline constexpr std::size_t kMaxCertificateText = 200;

std::string serial_text(const X509* certificate);  // hexadecimal, as `openssl x509 -serial`
std::string name_text(const X509_NAME* name);      // RFC 2253: "CN=db1,O=Example"
std::string alternative_names_text(const X509* certificate);  // "db1,db1.example,10.0.0.1"
std::string key_type_text(const X509* certificate);           // "RSA", "EC", "ED25519"
std::string signature_text(const X509* certificate);          // "sha256WithRSAEncryption"

// Seconds since 1970; nullopt if the field is missing or not a date.
std::optional<std::int64_t> unix_time(const ASN1_TIME* time);

}  // namespace pgconn::probes
