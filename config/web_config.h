// The file of --web.config.file, in the format that Prometheus's exporters share: TLS, client
// certificates, users, headers, rate limit. A file that the others accept is accepted with the same
// meaning, and `warnings` say where it protects less than it seems to; an unknown key is refused
// with file, line and key. Values; any thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace pgconn::config {

// Whether clients must show a certificate, by the format's own names.
enum class ClientAuth {
  kNone,           // NoClientCert
  kRequest,        // RequestClientCert: asked for, may be left out, not verified
  kRequireAny,     // RequireAnyClientCert: must be shown, not verified
  kVerifyIfGiven,  // VerifyClientCertIfGiven: may be left out, else verified
  kVerify,         // RequireAndVerifyClientCert
};

enum class TlsVersion { k12, k13 };

struct WebTls {
  // Absolute, or relative to where the process runs: the directory of the file is prepended. If
  // empty, the text below is used. A path takes precedence over a text.
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;
  std::string cert;  // in PEM, like the two texts below
  std::string key;   // secret
  std::string client_ca;
  ClientAuth client_auth = ClientAuth::kNone;
  // Names of which a client's certificate must have one. nullopt: any certificate will do.
  std::optional<std::vector<std::string>> client_allowed_sans;
  TlsVersion min_version = TlsVersion::k12;
  TlsVersion max_version = TlsVersion::k13;
  std::vector<std::string> cipher_suites;  // of TLS 1.2, by OpenSSL's names; empty: its defaults
  bool prefer_server_cipher_suites = true;
  std::vector<std::string> curves;  // by OpenSSL's names; empty: its defaults

  bool has_client_ca() const { return !client_ca_file.empty() || !client_ca.empty(); }
  // Without authorities of its own, verification uses the system's roots.
  bool verifies() const {
    return client_auth == ClientAuth::kVerify || client_auth == ClientAuth::kVerifyIfGiven;
  }
  bool operator==(const WebTls&) const = default;
};

// A bucket of `burst` requests that gains one each `interval`.
struct RateLimit {
  std::chrono::nanoseconds interval{0};  // 0: no limit
  int burst = 0;                         // 0: every request is refused

  bool operator==(const RateLimit&) const = default;
};

struct WebConfig {
  std::optional<WebTls> tls;                                 // none: plain HTTP
  std::vector<std::pair<std::string, std::string>> headers;  // of every answer
  std::map<std::string, std::string> users;                  // to bcrypt hashes; empty: no login
  RateLimit rate_limit;
  // Settings that protect less than they may seem to, for the log: "web.yml:3: key: …".
  std::vector<std::string> warnings;
};

// Above this cost a hash takes longer than this machine should spend on one login, and a warning
// says so. 15 takes about 2 s, and each step more takes twice as long.
inline constexpr int kSlowBcryptCost = 15;

// Throws ConfigError, also when the file cannot be read. Does not look into the files it names.
WebConfig load_web_file(const std::string& path);

// `path` names the file in messages, and its directory is prepended to relative paths.
WebConfig load_web_text(std::string_view yaml, const std::string& path);

}  // namespace pgconn::config
