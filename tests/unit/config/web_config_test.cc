#include "config/web_config.h"

#include <string>
#include <utility>
#include <vector>

#include "config/loader.h"
#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

const std::string kHash = "$2b$10$abcdefghijklmnopqrstuuVXnBLFLU5JfGWbrHXddZ/3PyNLGYeqO";

std::string web_refusal(const std::string& yaml) {
  try {
    load_web_text(yaml, "/etc/pgconn/web.yml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

std::string tls(const std::string& more) {
  return "tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n" + more;
}

TEST_CASE("the web configuration's example loads, with paths from its own directory") {
  const WebConfig web =
      load_web_text(read_source("config/examples/web.yml"), "/etc/pgconn/web.yml");
  REQUIRE(web.tls);
  CHECK(web.tls->cert_file == "/etc/pgconn/server.crt");
  CHECK(web.tls->key_file == "/etc/pgconn/server.key");
  CHECK(web.tls->client_ca_file == "/etc/pgconn/client-ca.crt");
  CHECK(web.tls->client_auth == ClientAuth::kVerify);
  CHECK(web.tls->client_allowed_sans == std::vector<std::string>{"prometheus.internal"});
  CHECK(web.users.size() == 1);
  CHECK(web.users.contains("prometheus"));
  CHECK(web.rate_limit.interval == std::chrono::seconds(1));
  CHECK(web.rate_limit.burst == 20);
  CHECK(web.headers ==
        std::vector<std::pair<std::string, std::string>>{
            {"X-Frame-Options", "deny"}, {"Strict-Transport-Security", "max-age=31536000"}});
}

TEST_CASE("a web configuration without TLS has none, and defaults are the format's") {
  const WebConfig web = load_web_text("basic_auth_users: {alice: " + kHash + "}\n", "web.yml");
  CHECK_FALSE(web.tls);
  CHECK(web.headers.empty());
  CHECK(web.rate_limit.interval == Duration(0));

  const WebConfig secure = load_web_text(tls(""), "web.yml");
  CHECK(secure.users.empty());
  CHECK(secure.tls->cert_file == "a.crt");
  CHECK(secure.tls->min_version == TlsVersion::k12);
  CHECK(secure.tls->max_version == TlsVersion::k13);
  CHECK(secure.tls->prefer_server_cipher_suites);
  CHECK(secure.tls->client_auth == ClientAuth::kNone);
}

TEST_CASE("an absolute path stays what it is") {
  const WebConfig web = load_web_text(
      "tls_server_config: {cert_file: /a/b.crt, key_file: ../b.key}\n", "/etc/pgconn/web.yml");
  CHECK(web.tls->cert_file == "/a/b.crt");
  CHECK(web.tls->key_file == "/etc/pgconn/../b.key");
}

TEST_CASE("suites and curves get OpenSSL's names; those of TLS 1.3 cannot be chosen") {
  const WebConfig web = load_web_text(
      tls("  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"
          "  curve_preferences: [X25519, CurveP256]\n"
          "  prefer_server_cipher_suites: false\n"
          "  max_version: TLS12\n"),
      "web.yml");
  CHECK(web.tls->cipher_suites == std::vector<std::string>{"ECDHE-RSA-AES128-GCM-SHA256"});
  CHECK(web.tls->curves == std::vector<std::string>{"X25519", "P-256"});
  CHECK_FALSE(web.tls->prefer_server_cipher_suites);
  CHECK(web.tls->max_version == TlsVersion::k12);
}

TEST_CASE("a blank header is left out, http2 is taken and changes nothing") {
  const WebConfig web = load_web_text(
      "http_server_config:\n"
      "  http2: true\n"
      "  headers: {X-Frame-Options: \"\", X-XSS-Protection: 0, X-Content-Type-Options: nosniff}\n",
      "web.yml");
  CHECK(web.headers == std::vector<std::pair<std::string, std::string>>{
                           {"X-Content-Type-Options", "nosniff"}, {"X-XSS-Protection", "0"}});
}

TEST_CASE("an interval of 0 is no rate limit, in quotes or not") {
  CHECK(load_web_text("rate_limit: {interval: \"0\", burst: 1}", "w").rate_limit.interval ==
        Duration(0));
}

TEST_CASE("what is wrong in a web configuration is told with file, line, key and what is allowed") {
  const std::string hash_allowed =
      "allowed: 60 characters that begin with `$2a$`, `$2b$` or `$2y$`, as `htpasswd -nBC 10 \"\"` "
      "prints them";
  const std::string file = "/etc/pgconn/web.yml:";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"",
       "1: the file is empty and would protect nothing; leave --web.config.file out if that is "
       "meant"},
      {"- a\n", "1: is a list; allowed: a mapping such as `basic_auth_users`"},
      {"tls_config: {}\n",
       "1: tls_config: unknown key; allowed: tls_server_config, http_server_config, "
       "basic_auth_users, rate_limit"},
      {"basic_auth_user: {a: " + kHash + "}\n",
       "1: basic_auth_user: unknown key, did you mean `basic_auth_users`?; allowed: "
       "tls_server_config, http_server_config, basic_auth_users, rate_limit"},
      {"tls_server_config:\n",
       "1: tls_server_config: has no value; allowed: a mapping with `cert_file` and `key_file`"},
      {"tls_server_config: {}\n",
       "1: tls_server_config: `cert_file` is missing; allowed: a path on one line, absolute or "
       "from "
       "this file's directory\n" +
           file +
           "1: tls_server_config: `key_file` is missing; allowed: a path on one line, absolute or "
           "from this file's directory"},
      {tls("  cert_file: b.crt\n"),
       "4: tls_server_config.cert_file: duplicate key, first given on line 2; keep one of them"},
      {"tls_server_config: {cert_file: a, key_file: [b]}\n",
       "1: tls_server_config.key_file: is a list; allowed: a path on one line, absolute or from "
       "this file's directory"},
      {tls("  key: hunter2\n"),
       "4: tls_server_config.key: is not supported; put it into a file and name that as "
       "`key_file`"},
      {tls("  min_version: TLS10\n"),
       "4: tls_server_config.min_version: is too old for OpenSSL 3, which speaks it only with "
       "signatures that are broken; allowed: TLS12, TLS13"},
      {tls("  min_version: TLS13\n  max_version: TLS12\n"),
       "5: tls_server_config.max_version: is below min_version; allowed: at least that"},
      {tls("  client_auth_type: VerifyClientCert\n"),
       "4: tls_server_config.client_auth_type: unknown policy; allowed: NoClientCert, "
       "RequestClientCert, RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, "
       "RequireAndVerifyClientCert"},
      {tls("  client_auth_type: RequireAndVerifyClientCert\n"),
       "4: tls_server_config.client_auth_type: has no authority to verify with; allowed: together "
       "with `client_ca_file`"},
      {tls("  client_ca_file: ca.crt\n"),
       "4: tls_server_config.client_ca_file: is of no use without `client_auth_type`; allowed: "
       "together with RequireAndVerifyClientCert"},
      {tls("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n"),
       "5: tls_server_config.client_allowed_sans: is no protection while certificates may be "
       "missing or are not verified; allowed: together with `client_auth_type: "
       "RequireAndVerifyClientCert`"},
      {tls("  client_allowed_sans: []\n"),
       "4: tls_server_config.client_allowed_sans: is empty; allowed: a list of at least one name: "
       "DNS, IP address, e-mail or URI, as in the certificate"},
      {tls("  curve_preferences: [CurveP25]\n"),
       "4: tls_server_config.curve_preferences[0]: unknown curve; "
       "allowed: CurveP256, CurveP384, CurveP521, X25519"},
      {tls("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"),
       "4: tls_server_config.cipher_suites: has none of TLS 1.2, the only version whose suites can "
       "be chosen; for TLS 1.3 alone write `min_version: TLS13`"},
      {"http_server_config: {http2: 1}\n",
       "1: http_server_config.http2: `1` is neither true nor false; allowed: true or false"},
      {"http_server_config: {headers: {Server: x}}\n",
       "1: http_server_config.headers.Server: unknown key; allowed: Content-Security-Policy, "
       "X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security"},
      {"http_server_config: {headers: {X-Frame-Options: DENY}}\n",
       "1: http_server_config.headers.X-Frame-Options: is not of the allowed form; allowed: deny, "
       "sameorigin"},
      {"http_server_config: {headers: {X-XSS-Protection: \"0\\r\\nSet-Cookie: a\"}}\n",
       "1: http_server_config.headers.X-XSS-Protection: is not of the allowed form; allowed: one "
       "line of printable ASCII"},
      {"basic_auth_users: {}\n",
       "1: basic_auth_users: has no user; allowed: a mapping of at least one user name to a bcrypt "
       "hash, or leave the key out and nobody has to log in"},
      {"basic_auth_users: {alice: hunter2}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: $1$abcdefgh$0123456789012345678901}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: $2x" + kHash.substr(3) + "}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: " + kHash + "x}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: $2b$16" + kHash.substr(6) + "}\n",
       "1: basic_auth_users.alice: has the cost 16; allowed: 4 to 15 (15 takes about 2 s)"},
      {"basic_auth_users: {\"al:ice\": " + kHash + "}\n",
       "1: basic_auth_users.<key>: is no name that a client can log in with; allowed: at least one "
       "character, and no colon"},
      {"rate_limit: {interval: 1s}\n", "1: rate_limit: `burst` is missing; allowed: 1 to 1000000"},
      {"rate_limit: {interval: 1, burst: 0}\n",
       "1: rate_limit.interval: `1` has no unit, write 15s or 15ms; allowed: 0 or 1ms to 1h\n" +
           file + "1: rate_limit.burst: `0` is out of range; allowed: 1 to 1000000"},
  };
  for (const auto& [yaml, message] : cases) {
    INFO(yaml);
    CHECK(web_refusal(yaml) == file + message);
  }
}

TEST_CASE("every beginning of a web configuration loads or is refused") {
  const std::string yaml = read_source("config/examples/web.yml");
  for (std::size_t length = 0; length <= yaml.size(); ++length) {
    const std::string message = web_refusal(yaml.substr(0, length));
    CHECK((message == "accepted" || message.starts_with("/etc/pgconn/web.yml:")));
  }
}

TEST_CASE("an unknown cipher suite is refused with the list") {
  const std::string message = web_refusal(tls("  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n"));
  CHECK(message.starts_with(
      "/etc/pgconn/web.yml:4: tls_server_config.cipher_suites[0]: unknown cipher suite"));
  CHECK(message.find("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256") != std::string::npos);
}

TEST_CASE("a web configuration that cannot be read is an error that names it") {
  CHECK_THROWS_WITH(load_web_file("/nonexistent/web.yml"),
                    "/nonexistent/web.yml: cannot be read: No such file or directory; name a file "
                    "that the exporter's user can read");
}

}  // namespace
}  // namespace pgconn::config
