#include "probes/certificates/facts.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/issued_certificate.h"

namespace pgconn::probes {
namespace {

using test::CertificateRequest;
using test::issue;
using test::IssuedCertificate;

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kNow = 1'900'000'000;

using Store = std::shared_ptr<X509_STORE>;

Store trusting(const std::vector<IssuedCertificate>& roots) {
  Store store(X509_STORE_new(), X509_STORE_free);
  for (const IssuedCertificate& root : roots) {
    X509_STORE_add_cert(store.get(), root.certificate.get());
  }
  return store;
}

CertificateRequest authority(const std::string& name, long serial = 1) {
  return {.common_name = name,
          .not_before = kNow - 100 * kDay,
          .not_after = kNow + 1000 * kDay,
          .authority = true,
          .serial = serial};
}

CertificateRequest server(const std::string& sans = "DNS:db.example,IP:10.0.0.1") {
  return {.common_name = "db.example",
          .sans = sans,
          .not_before = kNow - 10 * kDay,
          .not_after = kNow + 30 * kDay,
          .serial = 0xABCDEF};
}

const IssuedCertificate& root() {
  static const IssuedCertificate made = issue(authority("Example Root"));
  return made;
}

const IssuedCertificate& intermediate() {
  static const IssuedCertificate made = [] {
    CertificateRequest request = authority("Example Issuing", 2);
    request.not_after = kNow + 20 * kDay;  // before the server's own
    return issue(request, &root());
  }();
  return made;
}

ChainFacts facts_of(const std::vector<IssuedCertificate>& presented, const Store& roots,
                    std::string_view host = "db.example") {
  std::vector<std::string> chain;
  for (const IssuedCertificate& certificate : presented) chain.push_back(certificate.der);
  return server_chain_facts(chain, roots.get(), host, kNow);
}

std::string error_of(const ChainFacts& facts) {
  REQUIRE(facts.verification);
  CHECK(facts.verification->verified == facts.verification->error.empty());
  return facts.verification->error;
}

bool matches(const std::string& sans, std::string_view host, const std::string& name = "cn") {
  CertificateRequest request = server(sans);
  request.common_name = name;
  return facts_of({issue(request)}, trusting({root()}), host).hostname_match.value();
}

TEST_CASE("a certificate is reported with serial, names, key, signature and dates") {
  const ChainFacts facts = facts_of({issue(server(), &root())}, trusting({root()}));
  REQUIRE(facts.certificates.size() == 2);
  const CertificateFacts& leaf = facts.certificates[0];
  CHECK(leaf.serial == "ABCDEF");
  CHECK(leaf.subject == "CN=db.example");
  CHECK(leaf.issuer == "CN=Example Root");
  CHECK(leaf.key_type == "EC");
  CHECK(leaf.key_bits == 256);
  CHECK(leaf.signature == "ecdsa-with-SHA256");
  CHECK(leaf.sans == "db.example,10.0.0.1");
  CHECK(leaf.not_before == kNow - 10 * kDay);
  CHECK(leaf.not_after == kNow + 30 * kDay);
}

TEST_CASE("a chain that leads to a trusted root verifies, and the root is reported with it") {
  const ChainFacts facts =
      facts_of({issue(server(), &intermediate()), intermediate()}, trusting({root()}));
  CHECK(error_of(facts).empty());
  CHECK(facts.hostname_match == true);
  REQUIRE(facts.certificates.size() == 3);
  CHECK(facts.certificates[0].position == Position::kLeaf);
  CHECK(facts.certificates[1].position == Position::kIntermediate);
  CHECK(facts.certificates[2].position == Position::kRoot);
  CHECK(facts.certificates[2].subject == "CN=Example Root");
  CHECK(facts.not_after == kNow + 20 * kDay);
  CHECK(facts.fingerprints.size() == 2);
}

TEST_CASE("a root that the server presents is reported once") {
  const ChainFacts facts = facts_of({issue(server(), &root()), root()}, trusting({root()}));
  CHECK(error_of(facts).empty());
  REQUIRE(facts.certificates.size() == 2);
  CHECK(facts.certificates[1].position == Position::kRoot);
}

TEST_CASE("each bad chain is reported with the first reason, and with all its other facts") {
  const Store roots = trusting({root()});
  const IssuedCertificate foreign_root = issue(authority("Foreign Root"));
  CertificateRequest expired = server();
  expired.not_after = kNow - 1;
  CertificateRequest early = server();
  early.not_before = kNow + 1;
  struct Case {
    std::string error;
    std::vector<IssuedCertificate> presented;
    std::size_t told;
  };
  const std::vector<Case> cases = {
      {"certificate has expired", {issue(expired, &root())}, 2},
      {"certificate is not yet valid", {issue(early, &root())}, 2},
      {"self-signed certificate", {issue(server())}, 1},
      {"self-signed certificate in certificate chain",
       {issue(server(), &foreign_root), foreign_root},
       2},
      {"unable to get local issuer certificate", {issue(server(), &foreign_root)}, 1},
      {"unable to get local issuer certificate", {issue(server(), &intermediate())}, 1},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.error);
    const ChainFacts facts = facts_of(bad.presented, roots);
    CHECK(error_of(facts) == bad.error);
    CHECK(facts.hostname_match == true);
    REQUIRE(facts.certificates.size() == bad.told);
    CHECK(facts.certificates[0].subject == "CN=db.example");
    CHECK(facts.certificates[0].not_after.has_value());
    CHECK(facts.not_after.has_value());
  }
}

TEST_CASE("a certificate is valid from its first second to its last") {
  CertificateRequest request = server();
  request.not_before = kNow;
  CHECK(error_of(facts_of({issue(request, &root())}, trusting({root()}))).empty());
  request.not_before = kNow - kDay;
  request.not_after = kNow + 1;
  CHECK(error_of(facts_of({issue(request, &root())}, trusting({root()}))).empty());
}

TEST_CASE("an expired intermediate fails the chain of a good certificate") {
  CertificateRequest request = authority("Old Issuing", 3);
  request.not_after = kNow - kDay;
  const IssuedCertificate old = issue(request, &root());
  const ChainFacts facts = facts_of({issue(server(), &old), old}, trusting({root()}));
  CHECK(error_of(facts) == "certificate has expired");
  CHECK(facts.not_after == kNow - kDay);
}

TEST_CASE("an expired certificate that the chain does not need does no harm") {
  CertificateRequest request = authority("Unneeded");
  request.not_after = kNow - kDay;
  const IssuedCertificate unneeded = issue(request);
  const ChainFacts facts = facts_of({issue(server(), &root()), unneeded}, trusting({root()}));
  CHECK(error_of(facts).empty());
  CHECK(facts.not_after == kNow + 30 * kDay);
  CHECK(facts.certificates.size() == 3);
}

TEST_CASE("a signature that does not match its issuer is reported") {
  const IssuedCertificate impostor = issue(authority("Example Root"));
  const ChainFacts facts = facts_of({issue(server(), &impostor)}, trusting({root()}));
  CHECK(error_of(facts) == "certificate signature failure");
}

TEST_CASE("a weak key hides nothing: it verifies, and its size is reported") {
  CertificateRequest request = server();
  request.rsa_bits = 1024;
  ChainFacts facts = facts_of({issue(request, &root())}, trusting({root()}));
  CHECK(error_of(facts).empty());
  CHECK(facts.certificates[0].key_type == "RSA");
  CHECK(facts.certificates[0].key_bits == 1024);
  request.not_after = kNow - kDay;
  facts = facts_of({issue(request, &root())}, trusting({root()}));
  CHECK(error_of(facts) == "certificate has expired");
}

TEST_CASE("without roots nothing is verified and everything else is reported") {
  const ChainFacts facts = facts_of({issue(server(), &root())}, nullptr);
  CHECK(error_of(facts) == "no trusted roots to verify against");
  CHECK(facts.certificates.size() == 1);
  CHECK(facts.hostname_match == true);
  CHECK(facts.not_after == kNow + 30 * kDay);
}

TEST_CASE("names are matched as verify-full does, whether the chain verifies or not") {
  CHECK(matches("DNS:db.example", "db.example"));
  CHECK(matches("DNS:db.example", "DB.Example"));
  CHECK_FALSE(matches("DNS:db.example", "other.example"));
  CHECK(matches("DNS:*.example", "db.example"));
  CHECK_FALSE(matches("DNS:*.example", "a.db.example"));
  CHECK_FALSE(matches("DNS:*.example", "example"));
  CHECK_FALSE(matches("DNS:*.example", ".example"));
  CHECK_FALSE(matches("DNS:d*.example", "db.example"));
  CHECK_FALSE(matches("DNS:*", "db"));
  CHECK_FALSE(matches("DNS:db.example", ""));
  // The common name counts only if there is no DNS name.
  CHECK(matches("", "db.example", "db.example"));
  CHECK_FALSE(matches("DNS:other.example", "db.example", "db.example"));
}

TEST_CASE("addresses are matched with IP addresses, and with names written like one") {
  CHECK(matches("IP:10.0.0.1", "10.0.0.1"));
  CHECK_FALSE(matches("IP:10.0.0.1", "10.0.0.2"));
  CHECK(matches("IP:fe80::1", "fe80::1%eth0"));
  CHECK(matches("IP:2001:db8::1", "2001:0db8:0:0::1"));
  CHECK(matches("DNS:10.0.0.1", "10.0.0.1"));
  CHECK(matches("", "10.0.0.1", "10.0.0.1"));
  CHECK_FALSE(matches("IP:10.0.0.2", "10.0.0.1", "10.0.0.1"));
}

TEST_CASE("what a peer chooses is limited") {
  std::string sans;
  for (int i = 0; i < 500; ++i) {
    sans += (i == 0 ? "DNS:host" : ",DNS:host") + std::to_string(i) + ".example";
  }
  const IssuedCertificate wide = issue(server(sans));
  const ChainFacts facts =
      facts_of(std::vector<IssuedCertificate>(40, wide), trusting({root()}), "host499.example");
  CHECK(facts.certificates.size() == kMaxCertificates);
  CHECK(facts.certificates[0].sans.size() <= 210);
  CHECK(facts.certificates[0].sans.starts_with("host0.example,host1.example,"));
  CHECK(facts.certificates[0].sans.ends_with("…"));
  CHECK(facts.hostname_match == true);
}

TEST_CASE("a long text is cut between characters, not inside of one") {
  CertificateRequest request = server();
  // OpenSSL refuses common names of more than 64 characters, which may be 192 bytes.
  request.common_name = "ab";
  for (int i = 0; i < 62; ++i) request.common_name += "\xE2\x82\xAC";
  const std::string name = "CN=" + request.common_name;
  const ChainFacts facts = facts_of({issue(request)}, nullptr);
  CHECK(facts.certificates[0].subject == name);
  for (int pad = 0; pad < 3; ++pad) {
    std::string emoji;
    for (int i = 0; i < 62; ++i) emoji += "\xF0\x9F\x90\x98";
    request.common_name = std::string(static_cast<std::size_t>(pad) % 3, 'x') + emoji;
    const std::string subject = facts_of({issue(request)}, nullptr).certificates[0].subject;
    CAPTURE(pad, subject);
    CHECK(subject.ends_with("\xF0\x9F\x90\x98…"));
    CHECK(subject.size() <= 203);
  }
}

TEST_CASE("control characters in a name are written out") {
  CertificateRequest request = server();
  request.common_name = "two\nlines";
  CHECK(facts_of({issue(request)}, nullptr).certificates[0].subject == "CN=two\\0Alines");
}

TEST_CASE("bytes that are not a certificate are skipped") {
  const std::vector<std::string> nonsense = {"", "nonsense", std::string(5000, '\x30')};
  const ChainFacts facts = server_chain_facts(nonsense, trusting({root()}).get(), "db", kNow);
  CHECK(facts.certificates.empty());
  CHECK(facts.fingerprints.empty());
  CHECK_FALSE(facts.verification);
  CHECK_FALSE(facts.hostname_match);
}

TEST_CASE("a certificate with a byte changed is reported or skipped, never trusted") {
  const IssuedCertificate good = issue(server(), &root());
  const Store roots = trusting({root()});
  for (std::size_t i = 0; i < good.der.size(); ++i) {
    std::string bad = good.der;
    bad[i] = static_cast<char>(bad[i] ^ 0x15);
    const std::vector<std::string> chain = {bad};
    const ChainFacts facts = server_chain_facts(chain, roots.get(), "db.example", kNow);
    CAPTURE(i);
    CHECK((!facts.verification || !facts.verification->verified));
  }
}

TEST_CASE("the certificates of a file are reported by what they are, in any order") {
  const std::vector<std::string> file = {root().der, issue(server(), &intermediate()).der,
                                         intermediate().der};
  const ChainFacts facts = file_facts(file);
  REQUIRE(facts.certificates.size() == 3);
  CHECK(facts.certificates[0].position == Position::kRoot);
  CHECK(facts.certificates[1].position == Position::kLeaf);
  CHECK(facts.certificates[2].position == Position::kIntermediate);
  CHECK(facts.not_after == kNow + 20 * kDay);
  CHECK_FALSE(facts.verification);
  CHECK_FALSE(facts.hostname_match);
}

TEST_CASE("of a large file, the certificates that expire first are reported") {
  std::vector<std::string> file;
  for (int i = 0; i < 20; ++i) {
    CertificateRequest request = server();
    request.not_after = kNow + (100 - i) * kDay;
    file.push_back(issue(request, &root()).der);
  }
  const ChainFacts facts = file_facts(file);
  CHECK(facts.certificates.size() == kMaxCertificates);
  CHECK(facts.certificates[0].not_after == kNow + 81 * kDay);
  CHECK(facts.not_after == kNow + 81 * kDay);
  CHECK(facts.fingerprints.size() == 20);
}

TEST_CASE("a rotation is another set of certificates, not another order of the same") {
  const std::string one = issue(server(), &root()).der;
  const std::string two = issue(server(), &root()).der;
  const auto prints = [](const std::vector<std::string>& file) {
    return file_facts(file).fingerprints;
  };
  CHECK_FALSE(rotated(prints({one}), prints({one})));
  CHECK_FALSE(rotated(prints({one, two}), prints({two, one})));
  CHECK(rotated(prints({one}), prints({two})));
  CHECK(rotated(prints({one}), prints({one, two})));
  CHECK_FALSE(rotated({}, prints({one})));
  CHECK_FALSE(rotated(prints({one}), {}));
}

}  // namespace
}  // namespace pgconn::probes
