#include "probes/certificates/watch.h"

#include <optional>
#include <tuple>

#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

using What = CertificateNews::What;

// A readable source with one certificate, identified by its serial number.
CertificateLook shown(const std::string& serial) {
  CertificateLook look;
  look.readable = true;
  look.facts.certificates.emplace_back().serial = serial;
  look.facts.fingerprints = {"fingerprint of " + serial};
  return look;
}

CertificateLook wrong(CertificateLook look, const std::string& what) {
  look.wrong = what;
  return look;
}

using Told = std::vector<std::tuple<What, std::string, std::string>>;

Told told(CertificateWatch& watch, CertificateLook look) {
  Told all;
  for (const CertificateNews& news : watch.take(std::move(look))) {
    all.emplace_back(news.what, news.source, news.detail);
  }
  return all;
}

TEST_CASE("certificates without problems are no news, at the first check and later") {
  CertificateWatch watch("server");
  CHECK_FALSE(watch.has_looked());
  CHECK(told(watch, shown("0A")).empty());
  CHECK(told(watch, shown("0A")).empty());
  CHECK(watch.has_looked());
  CHECK(watch.has_seen());
}

TEST_CASE("other certificates than before are news once") {
  CertificateWatch watch("ca");
  watch.take(shown("0A"));
  CHECK(told(watch, shown("0B")) == Told{{What::kRotated, "ca", "0B"}});
  CHECK(told(watch, shown("0B")).empty());
  CHECK(watch.source().facts.certificates.at(0).serial == "0B");
}

TEST_CASE("what was seen is kept while the source cannot be read, and comes back as no news") {
  CertificateWatch watch("server");
  watch.take(shown("0A"));
  CHECK(told(watch, {}).empty());
  CHECK_FALSE(watch.source().readable);
  CHECK(watch.source().facts.certificates.at(0).serial == "0A");
  CHECK(told(watch, shown("0A")).empty());
  CHECK(watch.source().readable);
}

TEST_CASE("a rotation during an outage is seen after it") {
  CertificateWatch watch("server");
  watch.take(shown("0A"));
  watch.take({});
  CHECK(told(watch, shown("0B")) == Told{{What::kRotated, "server", "0B"}});
}

TEST_CASE("a problem is reported when it begins, when it changes, and when it is over") {
  CertificateWatch watch("server");
  CHECK(told(watch, wrong(shown("0A"), "expired")) == Told{{What::kWrong, "server", "expired"}});
  CHECK(told(watch, wrong(shown("0A"), "expired")).empty());
  CHECK(told(watch, wrong(shown("0A"), "unknown")) == Told{{What::kWrong, "server", "unknown"}});
  CHECK(told(watch, shown("0B")) ==
        Told{{What::kRotated, "server", "0B"}, {What::kRight, "server", ""}});
}

TEST_CASE("a revocation list alone is something to have seen, and its renewal no rotation") {
  CertificateWatch watch("crl");
  CertificateLook look;
  look.readable = true;
  look.crls = {{"CN=ca", 100}};
  watch.take(look);
  CHECK(watch.has_seen());
  look.crls = {{"CN=ca", 200}};
  CHECK(told(watch, look).empty());
  CHECK(watch.source().crls.at(0).next_update == 200);
}

TEST_CASE("a source that never showed anything has nothing to keep") {
  CertificateWatch watch("client");
  CertificateLook missing;
  missing.wrong = "cannot read /client.crt: No such file or directory";
  CHECK(told(watch, missing) == Told{{What::kWrong, "client", missing.wrong}});
  CHECK(watch.has_looked());
  CHECK_FALSE(watch.has_seen());
}

TEST_CASE("the problem of a chain names every reason") {
  const auto judged = [](std::optional<Verification> verification, std::optional<bool> match,
                         const std::string& roots_error = "") {
    ChainFacts facts;
    facts.verification = std::move(verification);
    facts.hostname_match = match;
    return wrong_with(facts, "db", roots_error);
  };
  CHECK(judged(Verification{true, ""}, true).empty());
  CHECK(judged(std::nullopt, std::nullopt).empty());
  CHECK(judged(Verification{false, "certificate has expired"}, true) == "certificate has expired");
  CHECK(judged(Verification{true, ""}, false) == "not for the host db");
  CHECK(judged(Verification{false, "certificate has expired"}, false) ==
        "certificate has expired, and not for the host db");
  CHECK(judged(Verification{false, "no trusted roots"}, true, "cannot read /ca.crt: why") ==
        "no trusted roots (cannot read /ca.crt: why)");
}

}  // namespace
}  // namespace pgconn::probes
