// Certificates of real servers, good and bad, and libpq's judgement of the same.
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "postgres/tls_handshake.h"
#include "probes/certificates/facts.h"
#include "probes/certificates/files.h"
#include "tests/integration/servers.h"
#include "tests/support/catch.h"
#include "tests/support/issued_certificate.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using postgres::ConnInfo;
using postgres::PgError;
using postgres::TlsHandshake;
using postgres::TlsStart;
using probes::ChainFacts;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kDay = 86400;

std::int64_t now() { return std::time(nullptr); }

CertificateRequest authority(const std::string& name, long serial) {
  return {.common_name = name,
          .not_before = now() - 100 * kDay,
          .not_after = now() + 1000 * kDay,
          .authority = true,
          .serial = serial};
}

CertificateRequest leaf(std::int64_t begin, std::int64_t end,
                        const std::string& sans = "DNS:localhost,IP:127.0.0.1") {
  return {.common_name = "leaf", .sans = sans, .not_before = begin, .not_after = end, .serial = 77};
}

TlsHandshake shake(const Server& server, TlsStart start = TlsStart::kRequest) {
  Client client;
  return run(client.io, tls_handshake(client.io.get_executor(), client.resolver,
                                      ConnInfo::parse(server.dsn).endpoints().front(), start,
                                      Clock::now() + Client::kPatience));
}

// A chain and its key on a real server, for the length of a scene.
class Presenting {
 public:
  Presenting(const Server& server, const std::vector<IssuedCertificate>& chain)
      : settings_(server, installed(server, chain)) {}

 private:
  static std::vector<std::pair<std::string, std::string>> installed(
      const Server& server, const std::vector<IssuedCertificate>& chain) {
    static int number = 0;  // another name each time, which shows that it was read
    const std::string name = "shown-" + std::to_string(++number);
    std::string pem;
    for (const IssuedCertificate& certificate : chain) pem += certificate.pem;
    Admin admin(server);
    write(admin, name + ".crt", pem);
    write(admin, name + ".key", chain.front().key_pem);
    return {{"ssl_cert_file", name + ".crt"}, {"ssl_key_file", name + ".key"}};
  }
  // By the server itself, in its data directory: the key must be its own and nobody else's.
  static void write(Admin& admin, const std::string& name, const std::string& text) {
    admin.run("COPY (SELECT unnest(string_to_array('" + text +
              "', E'\\n'))) TO PROGRAM 'umask 077; cat > " + name + "'");
  }

  Configured settings_;
};

// A file of roots for libpq and for us.
class RootsFile {
 public:
  explicit RootsFile(const IssuedCertificate& root) {
    std::string pattern = std::filesystem::temp_directory_path() / "roots-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    std::ofstream(path()) << root.pem;
  }
  ~RootsFile() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  RootsFile(const RootsFile&) = delete;
  RootsFile& operator=(const RootsFile&) = delete;
  std::string path() const { return directory_ / "root.crt"; }

 private:
  std::filesystem::path directory_;
};

// "" if libpq connects with sslmode=verify-full, else the reason it does not.
std::string libpq_reason(const Server& server, const RootsFile& roots) {
  Client client;
  try {
    client.connect(server.with("sslmode=verify-full sslrootcert=" + roots.path()));
    return "";
  } catch (const PgError& error) {
    return std::string(to_string(error.reason()));
  }
}

struct Case {
  std::string what;
  std::vector<IssuedCertificate> chain;
  std::string error;  // of the verification
  bool hostname_match;
  std::string libpq;  // its reason
};

std::vector<Case> cases(const IssuedCertificate& root) {
  const IssuedCertificate middle = issue(authority("Issuing", 2), &root);
  const IssuedCertificate lower = issue(authority("Issuing 2", 3), &middle);
  const IssuedCertificate foreign = issue(authority("Foreign", 4));
  const CertificateRequest good = leaf(now() - kDay, now() + kDay);
  const std::string unknown = "unable to get local issuer certificate";
  return {
      {"good", {issue(good, &root)}, "", true, ""},
      {"intermediates", {issue(good, &lower), lower, middle}, "", true, ""},
      {"intermediates in disorder", {issue(good, &lower), middle, lower}, "", true, ""},
      {"expired",
       {issue(leaf(now() - 2 * kDay, now() - kDay), &root)},
       "certificate has expired",
       true,
       "tls_verify"},
      {"not yet valid",
       {issue(leaf(now() + kDay, now() + 2 * kDay), &root)},
       "certificate is not yet valid",
       true,
       "tls_verify"},
      {"self-signed", {issue(good)}, "self-signed certificate", true, "tls_verify"},
      {"for another host",
       {issue(leaf(now() - kDay, now() + kDay, "DNS:db.example"), &root)},
       "",
       false,
       "tls_hostname"},
      {"expired and for another host",
       {issue(leaf(now() - 2 * kDay, now() - kDay, "DNS:db.example"), &root)},
       "certificate has expired",
       false,
       "tls_verify"},
      {"of an unknown authority", {issue(good, &foreign)}, unknown, true, "tls_verify"},
      {"of an unknown authority that shows itself",
       {issue(good, &foreign), foreign},
       "self-signed certificate in certificate chain",
       true,
       "tls_verify"},
      {"incomplete", {issue(good, &lower), lower}, unknown, true, "tls_verify"},
      {"without its intermediates", {issue(good, &lower)}, unknown, true, "tls_verify"},
  };
}

TEST_CASE("every certificate of a real server is reported, and judged as libpq does") {
  const IssuedCertificate root = issue(authority("Root", 1));
  const RootsFile roots(root);
  probes::CertificateRoots trusted;
  INFO("no PGBOX_<version> in the environment: run it through tests/support/pgbox with");
  REQUIRE_FALSE(servers().empty());
  for (const Server& server : servers()) {
    for (const Case& expected : cases(root)) {
      DYNAMIC_SECTION("PostgreSQL " << server.version << ", " << expected.what) {
        const Presenting presenting(server, expected.chain);
        const TlsHandshake seen = shake(server);
        CHECK_FALSE(seen.failure);
        REQUIRE(seen.chain.size() == expected.chain.size());
        for (std::size_t i = 0; i < seen.chain.size(); ++i) {
          CHECK(seen.chain[i] == expected.chain[i].der);
        }
        const auto loaded = trusted.load(roots.path());
        REQUIRE(loaded.store);
        const ChainFacts facts =
            probes::server_chain_facts(seen.chain, loaded.store.get(), "127.0.0.1", now());
        REQUIRE(facts.verification);
        CHECK(facts.verification->error == expected.error);
        CHECK(facts.verification->verified == expected.error.empty());
        CHECK(facts.hostname_match == expected.hostname_match);
        REQUIRE(facts.certificates.size() >= expected.chain.size());
        CHECK(facts.certificates[0].serial == "4D");
        CHECK(facts.certificates[0].not_after.has_value());
        CHECK(facts.not_after.has_value());
        CHECK(libpq_reason(server, roots) == expected.libpq);
      }
    }
  }
}

TEST_CASE("the handshake reports version, cipher and timings of a real server") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const TlsHandshake seen = shake(server);
      CHECK(seen.address == "127.0.0.1");
      CHECK(seen.version == "TLSv1.3");
      CHECK(seen.cipher.starts_with("TLS_"));
      REQUIRE((seen.timings.tcp && seen.timings.tls));
      CHECK(*seen.timings.tcp + *seen.timings.tls <= seen.timings.total);
      CHECK_FALSE(seen.timings.startup);
      const Configured old(server, {{"ssl_max_protocol_version", "TLSv1.2"}});
      CHECK(shake(server).version == "TLSv1.2");
    }
  }
}

TEST_CASE("a server with TLS off declines, and says so") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const Configured off(server, {{"ssl", "off"}});
      const PgError error = error_of([&] { shake(server); });
      CHECK(to_string(error.phase()) == "tls");
      CHECK(to_string(error.reason()) == "tls_unsupported");
    }
  }
}

TEST_CASE("direct TLS is accepted from PostgreSQL 17 on, and answered with a close before") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      if (server.version >= 17) {
        const TlsHandshake seen = shake(server, TlsStart::kDirect);
        CHECK_FALSE(seen.failure);
        CHECK(seen.chain == shake(server).chain);
      } else {
        const PgError error = error_of([&] { shake(server, TlsStart::kDirect); });
        CHECK(to_string(error.phase()) == "tls");
        CHECK(to_string(error.reason()) == "closed");
        CHECK(std::string_view(error.what()).find("PostgreSQL 17") != std::string_view::npos);
      }
    }
  }
}

TEST_CASE("the server logs nothing about a handshake except the connection") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const std::filesystem::path box =
          std::filesystem::path(server.ca).parent_path().parent_path();
      std::ifstream log(box / "log");
      log.seekg(0, std::ios::end);
      for (int i = 0; i < 10; ++i) shake(server);
      if (server.version >= 17) shake(server, TlsStart::kDirect);
      // The mark is written after all that the handshakes left.
      Admin(server).run_fatally("DO $$ BEGIN RAISE LOG 'end of scene'; END $$");
      std::string line;
      bool marked = false;
      int connections = 0;
      while (std::getline(log, line)) {
        CAPTURE(line);
        marked = marked || line.find("end of scene") != std::string::npos;
        if (line.find("connection received") != std::string::npos) ++connections;
        for (const char* trouble : {"could not", "unexpected", "FATAL:", "ERROR:", "WARNING:"}) {
          CHECK(line.find(trouble) == std::string::npos);
        }
      }
      CHECK(marked);
      CHECK(connections >= 10);
    }
  }
}

}  // namespace
}  // namespace pgconn::test
