#include "config/web_tls_schema.h"

#include <algorithm>
#include <array>

namespace pgconn::config {
namespace {

// A word of the format and what it stands for.
template <typename Meaning>
using Words = std::span<const std::pair<std::string_view, Meaning>>;

constexpr std::array<std::pair<std::string_view, ClientAuth>, 6> kClientAuth = {{
    {"NoClientCert", ClientAuth::kNone},
    {"RequestClientCert", ClientAuth::kRequest},
    {"RequireAnyClientCert", ClientAuth::kRequireAny},
    {"RequireClientCert", ClientAuth::kRequireAny},  // the format's older word
    {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", ClientAuth::kVerify},
}};
constexpr std::array<std::pair<std::string_view, TlsVersion>, 2> kVersions = {{
    {"TLS12", TlsVersion::k12},
    {"TLS13", TlsVersion::k13},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kCurves = {{
    {"CurveP256", "P-256"},
    {"CurveP384", "P-384"},
    {"CurveP521", "P-521"},
    {"X25519", "X25519"},
}};
// Those that Go counts as secure. The last three are of TLS 1.3, which Go lets nobody choose among:
// they are known, and change nothing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kCipherSuites = {{
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
}};

template <typename Meaning>
std::string listed(Words<Meaning> words) {
  std::string text;
  for (const auto& [word, meaning] : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

// The meaning of the word, or nullopt and a problem.
template <typename Meaning>
std::optional<Meaning> read_word(const Value& value, std::string_view kind, Words<Meaning> words,
                                 Problems& problems) {
  const auto text = read_text(value, listed(words), problems);
  if (!text) return std::nullopt;
  for (const auto& [word, meaning] : words) {
    if (word == *text) return meaning;
  }
  // Without a guess: the word most alike may be the one that protects less.
  problems.add(value.node.line, value.path,
               "unknown " + std::string(kind) + "; allowed: " + listed(words));
  return std::nullopt;
}

template <typename Meaning>
Field<WebTls> word(std::string_view key, std::string_view kind, Meaning WebTls::* member,
                   Words<Meaning> words) {
  return {.key = std::string(key),
          .type = "text",
          .allowed = listed(words),
          .default_text = "",
          .help = "",
          .read = [=](const Value& value, ReadContext& context, WebTls& tls) {
            if (const auto read = read_word(value, kind, words, context.problems)) {
              tls.*member = *read;
            }
          }};
}

// A list of words; those whose meaning is empty are left out.
Field<WebTls> words(std::string_view key, std::string_view kind,
                    std::vector<std::string> WebTls::* member, Words<std::string_view> known) {
  return {.key = std::string(key),
          .type = "list of texts",
          .allowed = listed(known),
          .default_text = "",
          .help = "",
          .read = [=](const Value& value, ReadContext& context, WebTls& tls) {
            if (!expect_list(value, "a list of " + listed(known), context.problems)) return;
            for (std::size_t i = 0; i < value.node.children.size(); ++i) {
              const auto read = read_word(value.item(i), kind, known, context.problems);
              if (read && !read->empty()) (tls.*member).emplace_back(*read);
            }
          }};
}

constexpr TextRule kPath = {
    "a path on one line, absolute or from this file's directory", [](std::string_view text) {
      return !text.empty() && text.size() < 4096 &&
             std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; });
    }};

Field<WebTls> path(std::string_view key, std::string WebTls::* member, bool required) {
  Field<WebTls> field = text(key, member, kPath, "");
  field.required = required;
  return field;
}

Field<WebTls> version(std::string_view key, TlsVersion WebTls::* member) {
  Field<WebTls> field = word<TlsVersion>(key, "version", member, kVersions);
  field.read = [read = field.read](const Value& value, ReadContext& context, WebTls& tls) {
    const std::string& text = value.node.text;
    if (text != "TLS10" && text != "TLS11") return read(value, context, tls);
    context.problems.add(value.node.line, value.path,
                         "is too old for OpenSSL 3, which speaks it only with signatures that are "
                         "broken; allowed: " +
                             listed<TlsVersion>(kVersions));
  };
  return field;
}

Field<WebTls> allowed_sans() {
  return {.key = "client_allowed_sans",
          .type = "list of texts",
          .allowed = "",
          .default_text = "",
          .help = "",
          .read = [](const Value& value, ReadContext& context, WebTls& tls) {
            constexpr std::string_view kAllowed =
                "a list of at least one name: DNS, IP address, e-mail or URI, as in the "
                "certificate";
            if (!expect_list(value, kAllowed, context.problems)) return;
            if (value.node.children.empty()) {
              context.problems.add(value.node.line, value.path,
                                   "is empty; allowed: " + std::string(kAllowed));
            }
            for (std::size_t i = 0; i < value.node.children.size(); ++i) {
              const auto name = read_text(value.item(i), kAllowed, context.problems);
              if (name) tls.client_allowed_sans.push_back(*name);
            }
          }};
}

std::span<const Field<WebTls>> tls_fields() {
  static const std::vector<Field<WebTls>> fields = {
      path("cert_file", &WebTls::cert_file, true),
      path("key_file", &WebTls::key_file, true),
      word<ClientAuth>("client_auth_type", "policy", &WebTls::client_auth, kClientAuth),
      path("client_ca_file", &WebTls::client_ca_file, false),
      allowed_sans(),
      version("min_version", &WebTls::min_version),
      version("max_version", &WebTls::max_version),
      words("cipher_suites", "cipher suite", &WebTls::cipher_suites, kCipherSuites),
      boolean("prefer_server_cipher_suites", &WebTls::prefer_server_cipher_suites, ""),
      words("curve_preferences", "curve", &WebTls::curves, kCurves),
      unsupported<WebTls>("cert", "put it into a file and name that as `cert_file`"),
      unsupported<WebTls>("key", "put it into a file and name that as `key_file`"),
      unsupported<WebTls>("client_ca", "put it into a file and name that as `client_ca_file`"),
  };
  return fields;
}

bool verifies(ClientAuth auth) {
  return auth == ClientAuth::kVerify || auth == ClientAuth::kVerifyIfGiven;
}

// Adds a problem at `key`, which the section has.
void contradict(const Value& section, std::string_view key, std::string_view wrong,
                Problems& problems) {
  const YamlNode& node = *section.node.find(key);
  problems.add(node.line, section.child(node).path, wrong);
}

}  // namespace

void read_web_tls(const Value& value, ReadContext& context, WebTls& tls) {
  read_section<WebTls>(value, kWebTlsAllowed, tls_fields(), context, tls);
  if (value.node.kind != YamlNode::Kind::kMapping) return;
  Problems& problems = context.problems;
  if (tls.max_version < tls.min_version) {
    contradict(value, "max_version", "is below min_version; allowed: at least that", problems);
  }
  if (verifies(tls.client_auth) && tls.client_ca_file.empty()) {
    contradict(value, "client_auth_type",
               "has no authority to verify with; allowed: together with `client_ca_file`",
               problems);
  }
  if (!tls.client_ca_file.empty() && tls.client_auth == ClientAuth::kNone) {
    contradict(value, "client_ca_file",
               "is of no use without `client_auth_type`; allowed: together with "
               "RequireAndVerifyClientCert",
               problems);
  }
  if (!tls.client_allowed_sans.empty() && tls.client_auth != ClientAuth::kVerify) {
    contradict(value, "client_allowed_sans",
               "is no protection while certificates may be missing or are not verified; allowed: "
               "together with `client_auth_type: RequireAndVerifyClientCert`",
               problems);
  }
  if (value.node.find("cipher_suites") != nullptr && tls.cipher_suites.empty()) {
    contradict(value, "cipher_suites",
               "has none of TLS 1.2, the only version whose suites can be chosen; for TLS 1.3 "
               "alone write `min_version: TLS13`",
               problems);
  }
}

}  // namespace pgconn::config
