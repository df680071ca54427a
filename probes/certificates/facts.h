// What a chain of certificates says, as plain values, valid or not: expired, foreign and mismatched
// certificates are reported like good ones. Pure functions from DER to facts; any thread.
// Everything a peer may choose is bounded: 16 certificates, 200 characters of each text.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::probes {

inline constexpr std::size_t kMaxCertificates = 16;

enum class Position { kLeaf, kIntermediate, kRoot };
std::string_view to_string(Position position);  // "leaf", "intermediate", "root"

struct CertificateFacts {
  Position position = Position::kLeaf;
  std::string serial;     // hexadecimal
  std::string subject;    // RFC 2253
  std::string issuer;     // RFC 2253
  std::string key_type;   // "RSA", "EC", "ED25519", "unknown"
  int key_bits = 0;       // 0 if unknown
  std::string signature;  // the algorithm it is signed with
  std::string sans;       // subject alternative names, joined with commas
  std::optional<std::int64_t> not_before, not_after;  // Unix time; absent if no date
};

struct Verification {
  bool verified = false;
  std::string error;  // OpenSSL's short reason, the first one found; empty if verified
};

// SHA-256 of each certificate, sorted.
using Fingerprints = std::vector<std::string>;

struct ChainFacts {
  std::vector<CertificateFacts> certificates;
  // The earliest expiry on the path to the root if the chain verifies (a superfluous certificate in
  // it may be expired without harm), else of all certificates; absent if there are none.
  std::optional<std::int64_t> not_after;
  std::optional<Verification> verification;  // absent for a file
  std::optional<bool> hostname_match;        // absent for a file
  Fingerprints fingerprints;                 // of what was presented or read
};

// The facts of a chain that a server presented (DER, leaf first), judged as a client with
// sslmode=verify-full would at Unix time `now`: the chain against `roots`, the names against
// `host`, a name or an address. A root that ends the path is included even if the server did not
// present it. `roots` may be null: then nothing can be verified, and the facts say so. Anything
// that is not a certificate is skipped.
ChainFacts server_chain_facts(std::span<const std::string> presented, X509_STORE* roots,
                              std::string_view host, std::int64_t now);

// The facts of the certificates of a file (DER), which need not belong together. If there are more
// than 16, those that expire first are reported; not_after and fingerprints cover all.
ChainFacts file_facts(std::span<const std::string> certificates);

// True if a source showed one set of certificates and now shows another. An empty set means not
// seen.
bool rotated(const Fingerprints& before, const Fingerprints& after);

}  // namespace pgconn::probes
