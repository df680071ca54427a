// The file of --web.config.file, in the format that Prometheus's exporters share: TLS, client
// certificates, users, headers, rate limit. As strict as the configuration of targets: what is not
// known or not supported is refused with file, line and key. Values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace pgconn::config {

// What a client's certificate is asked for, by the format's own names.
enum class ClientAuth {
  kNone,           // NoClientCert
  kRequest,        // RequestClientCert: asked for, may be left out, believed whatever it is
  kRequireAny,     // RequireAnyClientCert: must be shown, believed whatever it is
  kVerifyIfGiven,  // VerifyClientCertIfGiven: may be left out, else verified
  kVerify,         // RequireAndVerifyClientCert
};

enum class TlsVersion { k12, k13 };

struct WebTls {
  // Absolute, or relative to where the process runs: the directory of the file is in front.
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // empty: none
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;  // empty: any
  TlsVersion min_version = TlsVersion::k12;
  TlsVersion max_version = TlsVersion::k13;
  std::vector<std::string> cipher_suites;  // of TLS 1.2, by OpenSSL's names; empty: its defaults
  bool prefer_server_cipher_suites = true;
  std::vector<std::string> curves;  // by OpenSSL's names; empty: its defaults
};

// A bucket of `burst` requests that gains one each `interval`.
struct RateLimit {
  Duration interval{0};  // 0: no limit
  int burst = 0;
};

struct WebConfig {
  std::optional<WebTls> tls;                                 // none: plain HTTP
  std::vector<std::pair<std::string, std::string>> headers;  // of every answer
  std::map<std::string, std::string> users;                  // to bcrypt hashes; empty: no login
  RateLimit rate_limit;
};

// The largest cost of a hash: 2 s for each login that is not known yet.
inline constexpr int kMaxBcryptCost = 15;

// Throws ConfigError, also when the file cannot be read. Does not look into the files it names.
WebConfig load_web_file(const std::string& path);

// `path` stands for the file in messages, and its directory goes before relative paths.
WebConfig load_web_text(std::string_view yaml, const std::string& path);

}  // namespace pgconn::config
