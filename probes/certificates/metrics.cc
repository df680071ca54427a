#include "probes/certificates/metrics.h"

#include <cstdint>
#include <utility>

namespace pgconn::probes {
namespace {

using metrics::Fold;
using metrics::Unit;

constexpr auto kNotAfter = metrics::gauge(
    "pgconn_certificate_not_after_timestamp_seconds", "When a certificate ends, as Unix time.",
    {"source", "position", "serial"}, Unit::kSeconds, Fold::kMin);
constexpr auto kNotBefore = metrics::gauge(
    "pgconn_certificate_not_before_timestamp_seconds", "When a certificate begins, as Unix time.",
    {"source", "position", "serial"}, Unit::kSeconds, Fold::kMax);
constexpr auto kInfo = metrics::info(
    "pgconn_certificate_info", "What a certificate says of itself.",
    {"source", "position", "serial", "subject", "issuer", "key", "signature", "sans"});
constexpr auto kChainNotAfter = metrics::gauge(
    "pgconn_certificate_chain_not_after_timestamp_seconds",
    "When the first certificate of the source ends, as Unix time; of a server whose chain "
    "verifies, only those that it needs count.",
    {"source"}, Unit::kSeconds, Fold::kMin);
constexpr auto kVerified = metrics::gauge(
    "pgconn_certificate_verified",
    "1 if the server's chain leads to a trusted root and is in date; else 0 with the first reason "
    "against it. Its names are a question of their own.",
    {"source", "error"}, Unit::kNone, Fold::kMin);
constexpr auto kHostnameMatch =
    metrics::gauge("pgconn_certificate_hostname_match",
                   "1 if the server's certificate is for the host it was reached by.", {"source"},
                   Unit::kNone, Fold::kMin);
constexpr auto kReadable = metrics::gauge(
    "pgconn_certificate_readable",
    "1 if the source could be read at the last look: the server showed its certificates, the file "
    "holds some or a revocation list. While it is 0 the other families tell what was seen before.",
    {"source"}, Unit::kNone, Fold::kMin);
constexpr auto kChanges = metrics::counter(
    "pgconn_certificate_changes_total",
    "How often the source was seen to hold other certificates than before.", {"source"});
constexpr auto kCrlNextUpdate =
    metrics::gauge("pgconn_crl_next_update_timestamp_seconds",
                   "When the first revocation list of the file becomes stale, as Unix time.",
                   {"source"}, Unit::kSeconds, Fold::kMin);
constexpr auto kTlsOffered = metrics::gauge(
    "pgconn_tls_offered", "1 if the server takes connections over TLS, 0 if it declines.");
constexpr auto kTlsHandshake =
    metrics::info("pgconn_tls_handshake_info",
                  "What the server negotiated in the last handshake of the certificate probe.",
                  {"version", "cipher"});

constexpr const metrics::Descriptor* kFamilies[] = {
    &kNotAfter, &kNotBefore, &kInfo,          &kChainNotAfter, &kVerified,     &kHostnameMatch,
    &kReadable, &kChanges,   &kCrlNextUpdate, &kTlsOffered,    &kTlsHandshake,
};

double as_number(bool value) { return value ? 1 : 0; }

std::string key_text(const CertificateFacts& facts) {
  return facts.key_bits > 0 ? facts.key_type + " " + std::to_string(facts.key_bits)
                            : facts.key_type;
}

void add_certificate(const std::string& source, const CertificateFacts& facts,
                     metrics::MetricBatch& batch) {
  const std::string position(to_string(facts.position));
  const auto add_time = [&](const metrics::Descriptor& family, std::optional<std::int64_t> time) {
    if (time) batch.add(family, static_cast<double>(*time), {source, position, facts.serial});
  };
  add_time(kNotAfter, facts.not_after);
  add_time(kNotBefore, facts.not_before);
  batch.add(kInfo, 1,
            {source, position, facts.serial, facts.subject, facts.issuer, key_text(facts),
             facts.signature, facts.sans});
}

std::optional<std::int64_t> first_next_update(const std::vector<RevocationList>& crls) {
  std::optional<std::int64_t> first;
  for (const RevocationList& crl : crls) {
    if (crl.next_update && (!first || *crl.next_update < *first)) first = crl.next_update;
  }
  return first;
}

}  // namespace

std::span<const metrics::Descriptor* const> certificate_families() { return kFamilies; }

const metrics::Descriptor& certificate_changes() { return kChanges; }

void add_certificates(const CertificateSource& source, metrics::MetricBatch& batch) {
  const ChainFacts& facts = source.facts;
  batch.add(kReadable, as_number(source.readable), {source.name});
  for (const CertificateFacts& certificate : facts.certificates) {
    add_certificate(source.name, certificate, batch);
  }
  if (facts.not_after) {
    batch.add(kChainNotAfter, static_cast<double>(*facts.not_after), {source.name});
  }
  if (facts.verification) {
    batch.add(kVerified, as_number(facts.verification->verified),
              {source.name, facts.verification->error});
  }
  if (facts.hostname_match) {
    batch.add(kHostnameMatch, as_number(*facts.hostname_match), {source.name});
  }
  if (const auto next_update = first_next_update(source.crls)) {
    batch.add(kCrlNextUpdate, static_cast<double>(*next_update), {source.name});
  }
}

TlsState tls_state(const postgres::TlsHandshake& handshake) {
  return {true, handshake.version, handshake.cipher};
}

TlsState tls_state(const postgres::PgError& error) {
  if (error.reason() == postgres::Reason::kTlsUnsupported) return {false, "", ""};
  // An error from OpenSSL means that the server had agreed to TLS.
  if (error.reason() == postgres::Reason::kTls) return {true, "", ""};
  return {};
}

void add_tls(const TlsState& state, metrics::MetricBatch& batch) {
  if (state.offered) batch.add(kTlsOffered, as_number(*state.offered));
  if (!state.version.empty()) batch.add(kTlsHandshake, 1, {state.version, state.cipher});
}

}  // namespace pgconn::probes
