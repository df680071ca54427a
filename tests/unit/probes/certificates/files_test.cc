#include "probes/certificates/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "probes/certificates/facts.h"
#include "tests/support/catch.h"
#include "tests/support/issued_certificate.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::probes {
namespace {

using test::issue;
using test::IssuedCertificate;
using test::TemporaryDirectory;

constexpr std::int64_t kNow = 1'900'000'000;

IssuedCertificate authority(const std::string& name) {
  return issue({.common_name = name,
                .not_before = kNow - 1000,
                .not_after = kNow + 1000,
                .authority = true});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a PEM file gives its certificates in order, whatever is between them") {
  const IssuedCertificate one = authority("one"), two = authority("two");
  const CertificateFile file =
      parse_certificate_file("# mine\n" + one.pem + "between\n" + one.key_pem + two.pem + "end");
  CHECK(file.error.empty());
  CHECK(file.certificates == std::vector<std::string>{one.der, two.der});
  CHECK(file.crls.empty());
}

TEST_CASE("a revocation list is reported with its issuer and its next update") {
  const IssuedCertificate issuer = authority("revoker");
  CertificateFile file = parse_certificate_file(test::issue_crl(issuer, kNow));
  CHECK(file.error.empty());
  REQUIRE(file.crls.size() == 1);
  CHECK(file.crls[0].issuer == "CN=revoker");
  CHECK(file.crls[0].next_update == kNow);
  file = parse_certificate_file(test::issue_crl(issuer, 0));
  REQUIRE(file.crls.size() == 1);
  CHECK_FALSE(file.crls[0].next_update);
}

TEST_CASE("a file without anything to watch says so") {
  const IssuedCertificate one = authority("one");
  for (const std::string& text : {std::string(), std::string("text"), one.key_pem, one.der}) {
    CHECK(parse_certificate_file(text).error ==
          "holds neither certificate nor revocation list in PEM");
  }
}

TEST_CASE("a broken block is an error that keeps what could be read") {
  const IssuedCertificate one = authority("one"), two = authority("two");
  const std::string no_certificate =
      "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
  CertificateFile file = parse_certificate_file(one.pem + no_certificate + two.pem);
  CHECK(file.error == "block 2 is no readable CERTIFICATE");
  CHECK(file.certificates == std::vector<std::string>{one.der, two.der});

  file = parse_certificate_file(one.pem + two.pem.substr(0, two.pem.size() / 2));
  CHECK(file.error == "block 2 is not well-formed PEM");
  CHECK(file.certificates == std::vector<std::string>{one.der});
}

TEST_CASE("a file that cannot be read is an error with its path and the reason") {
  const TemporaryDirectory directory;
  const std::string missing = directory.path("missing.crt");
  CHECK(read_certificate_file(missing).error ==
        "cannot read " + missing + ": No such file or directory");
  CHECK(contains(read_certificate_file(directory.path("")).error, "is not a regular file"));

  const std::string pipe = directory.path("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_certificate_file(pipe).error == pipe + " is not a regular file");

  const std::string large =
      directory.write("large.crt", std::string(kMaxCertificateFile + 1, '\n'));
  CHECK(read_certificate_file(large).error == large + " is larger than 1 MiB");

  const std::string empty = directory.write("empty.crt", "");
  CHECK(read_certificate_file(empty).error ==
        empty + ": holds neither certificate nor revocation list in PEM");
}

TEST_CASE("roots are loaded once and again when their file has changed") {
  const TemporaryDirectory directory;
  const IssuedCertificate one = authority("one"), two = authority("two");
  const std::string path = directory.write("roots.crt", one.pem);
  CertificateRoots roots;
  const auto first = roots.load(path);
  REQUIRE(first.store);
  CHECK(first.error.empty());
  CHECK(roots.load(path).store == first.store);

  directory.write("roots.crt", two.pem);
  const auto second = roots.load(path);
  REQUIRE(second.store);
  CHECK(second.store != first.store);
  const std::vector<std::string> chain = {two.der};
  CHECK(server_chain_facts(chain, second.store.get(), "two", kNow).verification->verified);
  CHECK_FALSE(server_chain_facts(chain, first.store.get(), "two", kNow).verification->verified);
}

TEST_CASE("roots that are gone or unreadable are no roots, until they are back") {
  const TemporaryDirectory directory;
  const IssuedCertificate one = authority("one");
  const std::string path = directory.write("roots.crt", one.pem);
  CertificateRoots roots;
  REQUIRE(roots.load(path).store);

  std::filesystem::remove(path);
  CHECK_FALSE(roots.load(path).store);
  CHECK(contains(roots.load(path).error, "No such file or directory"));

  directory.write("roots.crt", one.key_pem);
  CHECK_FALSE(roots.load(path).store);
  CHECK(contains(roots.load(path).error, path));

  directory.write("roots.crt", one.pem);
  CHECK(roots.load(path).store);
}

TEST_CASE("a broken block among roots is reported and affects no other") {
  const TemporaryDirectory directory;
  const std::string path = directory.write(
      "roots.crt",
      "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n" + authority("one").pem);
  CertificateRoots roots;
  const auto answer = roots.load(path);
  CHECK(answer.store);
  CHECK(contains(answer.error, "block 1"));
}

TEST_CASE("roots that no target names any more are forgotten, but stay valid for their holders") {
  const TemporaryDirectory directory;
  const IssuedCertificate one = authority("one");
  const std::string path = directory.write("roots.crt", one.pem);
  CertificateRoots roots;
  const auto kept = roots.load(path);
  roots.keep_only({path});
  CHECK(roots.load(path).store == kept.store);
  roots.keep_only({});
  CHECK(kept.store.use_count() == 1);
  CHECK(roots.load(path).store != kept.store);
}

}  // namespace
}  // namespace pgconn::probes
