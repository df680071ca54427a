#include "probes/certificates/metrics.h"

#include <map>

#include "metrics/exposition.h"
#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

using Values = std::map<std::vector<std::string>, double>;

Values values(const metrics::MetricBatch& batch, std::string_view name) {
  Values found;
  for (const metrics::Family& family : batch.families()) {
    if (family.descriptor->name != name) continue;
    for (const metrics::Sample& sample : family.samples) found[sample.labels] = sample.value;
  }
  return found;
}

CertificateFacts leaf() {
  return {.position = Position::kLeaf,
          .serial = "0A",
          .subject = "CN=db",
          .issuer = "CN=ca",
          .key_type = "RSA",
          .key_bits = 2048,
          .signature = "sha256WithRSAEncryption",
          .sans = "db,10.0.0.1",
          .not_before = 1000,
          .not_after = 5000};
}

TEST_CASE("a server's chain becomes its dates, its names and its verdicts") {
  CertificateSource source{.name = "server", .readable = true};
  source.facts.certificates = {leaf()};
  source.facts.not_after = 4000;
  source.facts.verification = Verification{true, ""};
  source.facts.hostname_match = false;
  metrics::MetricBatch batch;
  add_certificates(source, batch);
  CHECK(values(batch, "pgconn_certificate_not_after_timestamp_seconds") ==
        Values{{{"server", "leaf", "0A"}, 5000}});
  CHECK(values(batch, "pgconn_certificate_not_before_timestamp_seconds") ==
        Values{{{"server", "leaf", "0A"}, 1000}});
  CHECK(values(batch, "pgconn_certificate_info") ==
        Values{{{"server", "leaf", "0A", "CN=db", "CN=ca", "RSA 2048", "sha256WithRSAEncryption",
                 "db,10.0.0.1"},
                1}});
  CHECK(values(batch, "pgconn_certificate_chain_not_after_timestamp_seconds") ==
        Values{{{"server"}, 4000}});
  CHECK(values(batch, "pgconn_certificate_verified") == Values{{{"server", ""}, 1}});
  CHECK(values(batch, "pgconn_certificate_hostname_match") == Values{{{"server"}, 0}});
  CHECK(values(batch, "pgconn_certificate_readable") == Values{{{"server"}, 1}});
}

TEST_CASE("a chain that does not verify is 0 with the reason, beside all other facts") {
  CertificateSource source{.name = "server", .readable = true};
  source.facts.certificates = {leaf()};
  source.facts.verification = Verification{false, "certificate has expired"};
  metrics::MetricBatch batch;
  add_certificates(source, batch);
  CHECK(values(batch, "pgconn_certificate_verified") ==
        Values{{{"server", "certificate has expired"}, 0}});
  CHECK(values(batch, "pgconn_certificate_info").size() == 1);
}

TEST_CASE("what is not known is no sample") {
  CertificateFacts odd = leaf();
  odd.not_before = odd.not_after = std::nullopt;
  odd.key_type = "unknown";
  odd.key_bits = 0;
  CertificateSource source{.name = "file", .readable = false};
  source.facts.certificates = {odd};
  metrics::MetricBatch batch;
  add_certificates(source, batch);
  CHECK(values(batch, "pgconn_certificate_readable") == Values{{{"file"}, 0}});
  for (const char* name :
       {"pgconn_certificate_not_after_timestamp_seconds",
        "pgconn_certificate_not_before_timestamp_seconds",
        "pgconn_certificate_chain_not_after_timestamp_seconds", "pgconn_certificate_verified",
        "pgconn_certificate_hostname_match", "pgconn_crl_next_update_timestamp_seconds"}) {
    CAPTURE(name);
    CHECK(values(batch, name).empty());
  }
  CHECK(values(batch, "pgconn_certificate_info").begin()->first[5] == "unknown");
}

TEST_CASE("of several revocation lists the first to become stale counts") {
  CertificateSource source{.name = "crl", .readable = true};
  source.crls = {{"CN=a", std::nullopt}, {"CN=b", 900}, {"CN=c", 800}};
  metrics::MetricBatch batch;
  add_certificates(source, batch);
  CHECK(values(batch, "pgconn_crl_next_update_timestamp_seconds") == Values{{{"crl"}, 800}});
}

TEST_CASE("two certificates of one position and serial keep the earlier end") {
  CertificateFacts later = leaf();
  later.not_after = 9000;
  CertificateSource source{.name = "file", .readable = true};
  source.facts.certificates = {later, leaf()};
  metrics::MetricBatch batch;
  add_certificates(source, batch);
  batch.unify();
  CHECK(values(batch, "pgconn_certificate_not_after_timestamp_seconds") ==
        Values{{{"file", "leaf", "0A"}, 5000}});
}

TEST_CASE("TLS is offered, declined, or not known, and what was negotiated is reported") {
  postgres::TlsHandshake handshake;
  handshake.version = "TLSv1.3";
  handshake.cipher = "TLS_AES_256_GCM_SHA384";
  metrics::MetricBatch offered;
  add_tls(tls_state(handshake), offered);
  CHECK(values(offered, "pgconn_tls_offered") == Values{{{}, 1}});
  CHECK(values(offered, "pgconn_tls_handshake_info") ==
        Values{{{"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, 1}});

  const auto offered_after = [](Reason reason) {
    metrics::MetricBatch batch;
    add_tls(tls_state(PgError(Phase::kTls, reason, "", "", true)), batch);
    CHECK(values(batch, "pgconn_tls_handshake_info").empty());
    return values(batch, "pgconn_tls_offered");
  };
  CHECK(offered_after(Reason::kTlsUnsupported) == Values{{{}, 0}});
  CHECK(offered_after(Reason::kTls) == Values{{{}, 1}});
  CHECK(offered_after(Reason::kTimeout).empty());
  CHECK(offered_after(Reason::kRefused).empty());
}

TEST_CASE("every family of certificates is in the list of families") {
  CertificateSource source{.name = "server", .readable = true};
  source.facts.certificates = {leaf()};
  source.facts.not_after = 1;
  source.facts.verification = Verification{};
  source.facts.hostname_match = true;
  source.crls = {{"CN=a", 1}};
  metrics::MetricBatch batch;
  add_certificates(source, batch);
  add_tls({true, "TLSv1.3", "cipher"}, batch);
  batch.declare(certificate_changes());
  CHECK(batch.families().size() == certificate_families().size());
  for (const metrics::Family& family : batch.families()) {
    const auto families = certificate_families();
    CHECK(std::find(families.begin(), families.end(), family.descriptor) != families.end());
  }
}

}  // namespace
}  // namespace pgconn::probes
