#include "config/web_warnings.h"

#include <chrono>
#include <string_view>

namespace pgconn::config {
namespace {

class Warnings {
 public:
  Warnings(const YamlNode& root, std::string path) : root_(root), path_(std::move(path)) {}

  // At the key of the section; either may be missing.
  void add(std::string_view section, std::string_view key, std::string_view text) {
    const YamlNode* at = root_.find(section);
    std::string where = at == nullptr ? "" : std::string(section) + ": ";
    if (const YamlNode* const found = find(section, key)) {
      at = found;
      where = std::string(section) + "." + shown_key(key) + ": ";
    }
    const int line = at == nullptr ? 1 : at->line;
    texts_.push_back(path_ + ":" + std::to_string(line) + ": " + where + std::string(text));
  }

  const YamlNode* find(std::string_view section, std::string_view key) const {
    const YamlNode* const found = root_.find(section);
    return found == nullptr ? nullptr : found->find(key);
  }

  std::vector<std::string> take() { return std::move(texts_); }

 private:
  const YamlNode& root_;
  const std::string path_;
  std::vector<std::string> texts_;
};

void warn_of_clients(const WebTls& tls, Warnings& warnings) {
  constexpr std::string_view kSection = "tls_server_config";
  if (tls.client_auth == ClientAuth::kRequest || tls.client_auth == ClientAuth::kRequireAny) {
    warnings.add(kSection, "client_auth_type",
                 "certificates are not verified, so anybody can make one; to keep strangers out, "
                 "write RequireAndVerifyClientCert");
  }
  if (tls.client_auth == ClientAuth::kVerifyIfGiven && !tls.client_allowed_sans) {
    warnings.add(kSection, "client_auth_type",
                 "clients without a certificate are let in; to keep strangers out, write "
                 "RequireAndVerifyClientCert");
  }
  if (tls.verifies() && !tls.has_client_ca()) {
    warnings.add(kSection, "client_auth_type",
                 "without `client_ca_file` every authority that this system trusts vouches for "
                 "clients; name your own");
  }
  if (!tls.client_allowed_sans) return;
  if (tls.client_auth == ClientAuth::kNone) {
    warnings.add(kSection, "client_allowed_sans",
                 "has no effect, since no certificate is asked for; write `client_auth_type: "
                 "RequireAndVerifyClientCert`");
  } else if (tls.client_allowed_sans->empty()) {
    warnings.add(kSection, "client_allowed_sans", "is empty: no client is let in; name some");
  }
}

void warn_of_tls(const WebTls& tls, Warnings& warnings) {
  constexpr std::string_view kSection = "tls_server_config";
  const YamlNode* const oldest = warnings.find(kSection, "min_version");
  if (oldest != nullptr && (oldest->text == "TLS10" || oldest->text == "TLS11")) {
    warnings.add(kSection, "min_version",
                 "is taken as TLS12: OpenSSL 3 does not really support anything older");
  }
  if (!tls.cert.empty() && !tls.cert_file.empty()) {
    warnings.add(kSection, "cert", "is not used, since `cert_file` takes precedence");
  }
  if (!tls.key.empty() && !tls.key_file.empty()) {
    warnings.add(kSection, "key", "is not used, since `key_file` takes precedence");
  }
  if (!tls.client_ca.empty() && !tls.client_ca_file.empty()) {
    warnings.add(kSection, "client_ca", "is not used, since `client_ca_file` takes precedence");
  }
  warn_of_clients(tls, warnings);
}

void warn_of_users(const WebConfig& web, Warnings& warnings) {
  for (const auto& [name, hash] : web.users) {
    const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    if (cost > kSlowBcryptCost) {
      warnings.add("basic_auth_users", name,
                   "has the cost " + std::to_string(cost) +
                       ": each attempt to log in takes seconds or more, while others wait; create "
                       "the hash again with a cost of 10 to 12");
    }
    if (name.find(':') != std::string::npos) {
      warnings.add("basic_auth_users", name, "can never log in: a name cannot contain a colon");
    }
  }
}

void warn_of_rate(const RateLimit& limit, Warnings& warnings) {
  using std::chrono::nanoseconds;
  if (limit.interval > nanoseconds::zero() && limit.burst < 1) {
    warnings.add("rate_limit", "burst",
                 "is below 1: every request is answered with 429; write how many may come at once");
  }
  if (limit.interval < nanoseconds::zero() ||
      (limit.interval > nanoseconds::zero() && limit.interval < std::chrono::microseconds(1))) {
    warnings.add("rate_limit", "interval",
                 "limits practically nothing (a number without a unit is nanoseconds); write 1s or "
                 "15ms");
  }
}

}  // namespace

std::vector<std::string> web_warnings(const YamlNode& root, const WebConfig& web,
                                      const std::string& path) {
  Warnings warnings(root, path);
  if (root.children.empty()) {
    warnings.add("", "", "the file is empty: it protects nothing");
  } else {
    if (root.find("tls_server_config") != nullptr && !web.tls) {
      warnings.add("tls_server_config", "", "is empty: pages are served without TLS");
    }
    if (root.find("basic_auth_users") != nullptr && web.users.empty()) {
      warnings.add("basic_auth_users", "", "is empty: nobody has to log in");
    }
  }
  if (web.tls) warn_of_tls(*web.tls, warnings);
  warn_of_users(web, warnings);
  warn_of_rate(web.rate_limit, warnings);
  return warnings.take();
}

}  // namespace pgconn::config
