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
  CHECK(web.tls->client_allowed_sans.value() == std::vector<std::string>{"prometheus.internal"});
  CHECK(web.warnings.empty());
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
  CHECK(web.rate_limit.interval == std::chrono::nanoseconds(0));

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

TEST_CASE("a blank header is left out, http2 is accepted and changes nothing") {
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
        std::chrono::nanoseconds(0));
}

TEST_CASE("an error in a web configuration is reported with file, line, key and what is allowed") {
  const std::string hash_allowed =
      "allowed: 60 characters that begin with `$2a$`, `$2b$` or `$2y$`, as `htpasswd -nBC 10 \"\"` "
      "prints them";
  const std::string file = "/etc/pgconn/web.yml:";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"- a\n", "1: is a list; allowed: a mapping such as `basic_auth_users`"},
      {"tls_config: {}\n",
       "1: tls_config: unknown key; allowed: tls_server_config, http_server_config, "
       "basic_auth_users, rate_limit"},
      {"basic_auth_user: {a: " + kHash + "}\n",
       "1: basic_auth_user: unknown key, did you mean `basic_auth_users`?; allowed: "
       "tls_server_config, http_server_config, basic_auth_users, rate_limit"},
      {"tls_server_config: {key_file: a.key}\n",
       "1: tls_server_config: one of `cert_file` and `cert` is missing; allowed: a path on one "
       "line, absolute or from this file's directory, or text in PEM"},
      {"tls_server_config: {client_auth_type: RequestClientCert, cert: a}\n",
       "1: tls_server_config: one of `key_file` and `key` is missing; allowed: a path on one line, "
       "absolute or from this file's directory, or text in PEM"},
      {"tls_server_config: {cert_file: \"a\\nb\", key_file: a}\n",
       "1: tls_server_config.cert_file: is not of the allowed form; allowed: a path on one line, "
       "absolute or from this file's directory"},
      {tls("  cert_file: b.crt\n"),
       "4: tls_server_config.cert_file: duplicate key, first given on line 2; keep one of them"},
      {"tls_server_config: {cert_file: a, key_file: [b]}\n",
       "1: tls_server_config.key_file: is a list; allowed: a path on one line, absolute or from "
       "this file's directory"},
      {tls("  max_version: TLS11\n"),
       "4: tls_server_config.max_version: is too old for OpenSSL 3, which supports it only with "
       "broken signatures; allowed: TLS12, TLS13"},
      {tls("  min_version: TLS13\n  max_version: TLS12\n"),
       "5: tls_server_config.max_version: is below min_version; allowed: at least that"},
      {tls("  client_auth_type: VerifyClientCert\n"),
       "4: tls_server_config.client_auth_type: unknown policy; allowed: NoClientCert, "
       "RequestClientCert, RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven, "
       "RequireAndVerifyClientCert"},
      {tls("  client_ca_file: ca.crt\n"),
       "4: tls_server_config.client_ca_file: has no effect without `client_auth_type`; allowed: "
       "together with RequireAndVerifyClientCert"},
      {tls("  curve_preferences: [CurveP25]\n"),
       "4: tls_server_config.curve_preferences[0]: unknown curve; "
       "allowed: CurveP256, CurveP384, CurveP521, X25519"},
      {tls("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\n"),
       "4: tls_server_config.cipher_suites: has none of TLS 1.2, which `max_version` requires; "
       "allowed: at least one of them"},
      {"http_server_config: {http2: 1}\n",
       "1: http_server_config.http2: `1` is neither true nor false; allowed: true or false"},
      {"http_server_config: {headers: {Server: x}}\n",
       "1: http_server_config.headers.Server: unknown key; allowed: Content-Security-Policy, "
       "X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security"},
      {"http_server_config: {headers: {X-Frame-Options: DENY}}\n",
       "1: http_server_config.headers.X-Frame-Options: is not of the allowed form; allowed: deny, "
       "sameorigin"},
      {"http_server_config: {headers: {X-XSS-Protection: \"0\\x07\"}}\n",
       "1: http_server_config.headers.X-XSS-Protection: is not of the allowed form; allowed: "
       "printable text"},
      {"basic_auth_users: {alice: hunter2}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: $1$abcdefgh$0123456789012345678901}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: $2x" + kHash.substr(3) + "}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: " + kHash + "x}\n",
       "1: basic_auth_users.alice: is not a bcrypt hash; " + hash_allowed},
      {"basic_auth_users: {alice: $2b$32" + kHash.substr(6) + "}\n",
       "1: basic_auth_users.alice: has the cost 32; allowed: 4 to 31"},
      {"rate_limit: {interval: 1d, burst: some}\n",
       "1: rate_limit.interval: the value has an unknown unit, the units are ns, us, ms, s, m, h; "
       "allowed: a duration such as 500ms, 1s or 1m30s, or 0 for no limit\n" +
           file +
           "1: rate_limit.burst: `some` is not a decimal integer; allowed: -1000000000 to "
           "1000000000"},
  };
  for (const auto& [yaml, message] : cases) {
    INFO(yaml);
    CHECK(web_refusal(yaml) == file + message);
  }
}

// The kinds of files that the tests of Prometheus's exporter-toolkit have, written from scratch. We
// expect what its tests expect, with one exception: a list without a suite that HTTP/2 requires
// ends its server; promtool accepts such a list, and so do we, since we do not speak HTTP/2.
TEST_CASE("what Prometheus's exporters accept is accepted, and what they refuse is refused") {
  const std::string user = "basic_auth_users: {dave: " + kHash + "}\n";
  const std::string inlined =
      "tls_server_config:\n  cert: |\n    -----BEGIN CERTIFICATE-----\n"
      "  key: |\n    -----BEGIN PRIVATE KEY-----\n";
  const std::vector<std::string> good = {
      "",
      "# nothing but a comment\n",
      tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"),
      tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca: text\n"),
      tls("  client_auth_type: RequireAndVerifyClientCert\n"),
      tls("  client_auth_type: VerifyClientCertIfGiven\n"),
      tls("  client_auth_type: RequireAnyClientCert\n"),
      tls("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a]\n"),
      "tls_server_config: {cert_file: a.crt, key: text, client_auth_type: RequireAnyClientCert}\n",
      inlined + "  client_auth_type: VerifyClientCertIfGiven\n",
      tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
          "  client_allowed_sans: [one, two]\n"),
      tls("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\n") +
          "http_server_config: {http2: false}\n",
      tls("  cipher_suites: []\n  curve_preferences: []\n  client_allowed_sans: []\n"),
      tls("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"),
      tls("  curve_preferences: [CurveP521]\n  min_version: TLS13\n"),
      tls("  min_version: TLS10\n  prefer_server_cipher_suites: no\n"),
      "tls_server_config: {}\n",
      "tls_server_config:\nbasic_auth_users:\nrate_limit:\nhttp_server_config:\n",
      "tls_server_config: {min_version: TLS12}\n",
      "http_server_config: {headers: {X-XSS-Protection: 1, Content-Security-Policy: \"a\\n\"}}\n",
      user,
      tls("") + user,
      "basic_auth_users: {}\n",
      "basic_auth_users: {bob: $2y$18" + kHash.substr(6) + "}\n",
      "basic_auth_users: {\"al:ice\": " + kHash + "}\n",
      "rate_limit: {interval: 0, burst: 0}\n",
      "rate_limit: {interval: \"1s\", burst: 0}\n",
      "rate_limit: {burst: 3}\n",
      "rate_limit: {interval: 1m30s, burst: 3}\n",
      "rate_limit: {interval: 1.5s}\n",
  };
  for (const std::string& yaml : good) {
    INFO(yaml);
    CHECK(web_refusal(yaml) == "accepted");
  }
  const std::vector<std::string> bad = {
      "one\ntwo\n",
      "tls_server_config: {cert_filse: a}\n",
      "tls_server_config: {cert_file: \"\", key_file: a}\n",
      "tls_server_config: {cert: \"\", key_file: a}\n",
      "tls_server_config: {cert_file: a, key_file: \"\"}\n",
      "tls_server_config: {cert_file: a, key: \"\"}\n",
      "tls_server_config: {cert_file: \"\", key_file: \"\", client_auth_type: x}\n",
      tls("  client_ca_file: ca.pem\n"),
      tls("  client_ca: text\n"),
      tls("  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]\n"),
      tls("  curve_preferences: [CurveP257]\n"),
      tls("  min_version: TLS111\n"),
      "basic_auth_users: {john: doe}\n",
      "basic_auth_users: {john: }\n",
      "http_server_config: {headers: {X-Content-Type-Options: sniff}}\n",
      "http_server_config: {headers: {X-Frame-Options: foo}}\n",
      "http_server_config: {headers: {Content-Type: foo}}\n",
      "rate_limit: {interval: soon, burst: 1}\n",
  };
  for (const std::string& yaml : bad) {
    INFO(yaml);
    CHECK(web_refusal(yaml) != "accepted");
  }
}

TEST_CASE("a rate limit's interval is one of Go's durations") {
  using namespace std::chrono_literals;
  const std::vector<std::pair<std::string, std::chrono::nanoseconds>> cases = {
      {"1m30s", 90s}, {"1.5s", 1500ms},      {"30s1m", 90s}, {"250us", 250us},
      {"-1s", -1s},   {"2h45m", 165min},     {"\"0\"", 0s},  {"5", 5ns},
      {".5s", 500ms}, {"100\u00b5s", 100us}, {"+3s", 3s},
  };
  for (const auto& [text, interval] : cases) {
    INFO(text);
    CHECK(
        load_web_text("rate_limit: {interval: " + text + ", burst: 1}", "w").rate_limit.interval ==
        interval);
  }
}

TEST_CASE("certificate and key may be in the file itself, and a path takes precedence") {
  const WebConfig web = load_web_text(
      "tls_server_config:\n  cert: |\n    a\n    b\n  key: c\n  client_ca: d\n"
      "  client_auth_type: RequireAndVerifyClientCert\n",
      "/etc/web.yml");
  CHECK(web.tls->cert == "a\nb\n");
  CHECK(web.tls->key == "c");
  CHECK(web.tls->client_ca == "d");
  CHECK(web.tls->cert_file.empty());
  CHECK(web.warnings.empty());
  CHECK(load_web_text(tls("  cert: a\n"), "w").warnings ==
        std::vector<std::string>{
            "w:4: tls_server_config.cert: is not used, since `cert_file` takes precedence"});
}

TEST_CASE("suites of TLS 1.3 alone leave TLS 1.2 out") {
  const WebConfig web = load_web_text(tls("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"), "w");
  CHECK(web.tls->min_version == TlsVersion::k13);
}

TEST_CASE(
    "a setting that protects less than it may seem to is reported with line and key, and without "
    "secrets") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "w:1: the file is empty"},
      {"rate_limit: {interval: 0}\ntls_server_config: {}\n", "w:2: tls_server_config: is empty"},
      {"basic_auth_users: {}\n", "w:1: basic_auth_users: is empty: nobody has to log in"},
      {"basic_auth_users: {a: $2y$18" + kHash.substr(6) + "}\n",
       "w:1: basic_auth_users.a: has the cost 18"},
      {"basic_auth_users: {\"a:b\": " + kHash + "}\n", "w:1: basic_auth_users.<key>: can never"},
      {"rate_limit:\n  interval: 1s\n  burst: 0\n", "w:3: rate_limit.burst: is below 1"},
      {"rate_limit: {interval: 5, burst: 1}\n",
       "w:1: rate_limit.interval: limits practically nothing"},
      {tls("  min_version: TLS11\n"), "w:4: tls_server_config.min_version: is taken as TLS12"},
      {tls("  client_auth_type: RequestClientCert\n"),
       "w:4: tls_server_config.client_auth_type: certificates are not verified"},
      {tls("  client_auth_type: VerifyClientCertIfGiven\n  client_ca: x\n"),
       "w:4: tls_server_config.client_auth_type: clients without a certificate are let in"},
      {tls("  client_auth_type: RequireAndVerifyClientCert\n"),
       "w:4: tls_server_config.client_auth_type: without `client_ca_file` every authority"},
      {tls("  client_allowed_sans: [a]\n"),
       "w:4: tls_server_config.client_allowed_sans: has no effect"},
  };
  for (const auto& [yaml, warning] : cases) {
    INFO(yaml);
    const WebConfig web = load_web_text(yaml, "w");
    REQUIRE(web.warnings.size() == 1);
    INFO(web.warnings.front());
    CHECK(web.warnings.front().starts_with(warning));
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
