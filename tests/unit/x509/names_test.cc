#include "x509/names.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/issued_certificate.h"

using namespace pgconn;
using x509::NameKind;

namespace {

using Names = std::vector<std::pair<NameKind, std::string>>;

Names names_of(const std::string& sans) {
  const auto issued = test::issue({.common_name = "db1", .sans = sans});
  Names names;
  for (const x509::AlternativeName& name : x509::alternative_names(issued.certificate.get())) {
    names.emplace_back(name.kind, name.text());
  }
  return names;
}

}  // namespace

TEST_CASE("alternative names come in the certificate's order, each with its kind") {
  CHECK(names_of("DNS:db1.example,IP:10.0.0.1,email:dba@example,URI:spiffe://db,IP:fe80::1") ==
        Names{{NameKind::kDns, "db1.example"},
              {NameKind::kAddress, "10.0.0.1"},
              {NameKind::kEmail, "dba@example"},
              {NameKind::kUri, "spiffe://db"},
              {NameKind::kAddress, "fe80::1"}});
}

TEST_CASE("a kind that no host is compared with is left out") {
  CHECK(names_of("RID:1.2.3.4,DNS:db1,otherName:1.2.3.4;UTF8:db2") ==
        Names{{NameKind::kDns, "db1"}});
}

TEST_CASE("a certificate without alternative names has none") { CHECK(names_of("").empty()); }

TEST_CASE("an address of a length that no address has is no text") {
  CHECK(x509::AlternativeName{NameKind::kAddress, "12345"}.text().empty());
  CHECK(x509::AlternativeName{NameKind::kAddress, ""}.text().empty());
  CHECK(x509::AlternativeName{NameKind::kDns, "12345"}.text() == "12345");
}

TEST_CASE("the common name is the subject's, and a subject may have none") {
  CHECK(x509::common_name(test::issue({.common_name = "db1"}).certificate.get()) == "db1");
  CHECK(x509::common_name(test::issue({.common_name = "", .sans = "DNS:db1"}).certificate.get()) ==
        std::nullopt);
}
