// Certificates as metrics: from facts to samples. Pure functions; any thread. A source's last facts
// are reported until it is seen again: keep them while a server is down, or a coming expiry would
// vanish from every alert.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/descriptor.h"
#include "postgres/error.h"
#include "postgres/tls_handshake.h"
#include "probes/certificates/facts.h"
#include "probes/certificates/files.h"

namespace pgconn::probes {

// The source name for what a target's server presents; files have their configured names.
inline constexpr std::string_view kServerSource = "server";

// All families of this file, for the catalogue and the reserved labels.
std::span<const metrics::Descriptor* const> certificate_families();

// The counter of rotations, label `source`: create it at 0 with the first facts, add 1 when
// rotated() says so.
const metrics::Descriptor& certificate_changes();

// One place where certificates come from, as last seen.
struct CertificateSource {
  std::string name;
  bool readable = false;  // at the last look: the server showed some, the file could be read
  ChainFacts facts{};
  std::vector<RevocationList> crls{};
};
void add_certificates(const CertificateSource& source, metrics::MetricBatch& batch);

// What one attempt has shown of a server's TLS.
struct TlsState {
  std::optional<bool> offered;  // absent: the attempt did not get far enough to tell
  std::string version, cipher;  // empty unless a handshake was finished
};
TlsState tls_state(const postgres::TlsHandshake& handshake);
TlsState tls_state(const postgres::PgError& error);
void add_tls(const TlsState& state, metrics::MetricBatch& batch);

}  // namespace pgconn::probes
