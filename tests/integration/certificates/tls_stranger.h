// A peer on loopback that takes TLS with whatever certificates and rules a test wants, where a real
// server would refuse to start with them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/integration/stranger.h"
#include "tests/support/issued_certificate.h"

namespace pgconn::test {

struct TlsRules {
  std::vector<IssuedCertificate> chain;  // leaf first
  bool direct = false;                   // no SSLRequest before TLS
  std::string alpn{};                    // chosen whatever is offered; empty: none
  bool insists_on_client_certificate = false;
  int version = 0;  // TLS1_2_VERSION and so on; 0 is any
  // Called on the stranger's thread with the server name the client sent, empty if none.
  std::function<void(const std::string&)> on_server_name{};
};

Stranger::Behaviour shaking_hands(TlsRules rules);

}  // namespace pgconn::test
