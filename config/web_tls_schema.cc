#include "config/web_tls_schema.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "config/web_values.h"
#include "text/join.h"

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
// Those that Go counts as secure. The last three are of TLS 1.3, where Go offers no choice: they
// are accepted and have no effect.
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
  return text::joined(words | std::views::keys);
}

// The meaning of the word, or nullopt after adding a problem.
template <typename Meaning>
std::optional<Meaning> read_word(const Value& value, std::string_view kind, Words<Meaning> words,
                                 Problems& problems) {
  const auto text = read_web_text(value, listed(words), problems);
  if (!text) return std::nullopt;
  for (const auto& [word, meaning] : words) {
    if (word == *text) return meaning;
  }
  // Without a suggestion: the most similar word may protect less.
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

constexpr std::string_view kPath = "a path on one line, absolute or from this file's directory";
constexpr std::string_view kPem = "text in PEM";

// An empty value counts as left out, as for other readers of the format.
Field<WebTls> path(std::string_view key, std::string WebTls::* member) {
  return {.key = std::string(key),
          .type = "text",
          .allowed = std::string(kPath),
          .default_text = "",
          .help = "",
          .read = [=](const Value& value, ReadContext& context, WebTls& tls) {
            const auto read = read_web_text(value, kPath, context.problems);
            if (!read) return;
            const bool on_one_line = std::ranges::none_of(
                *read, [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; });
            if (read->size() < 4096 && on_one_line) {
              tls.*member = *read;
            } else {
              context.problems.add(value.node.line, value.path,
                                   "is not of the allowed form; allowed: " + std::string(kPath));
            }
          }};
}

Field<WebTls> pem(std::string_view key, std::string WebTls::* member) {
  return {.key = std::string(key),
          .type = "text",
          .allowed = std::string(kPem),
          .default_text = "",
          .help = "",
          .read = [=](const Value& value, ReadContext& context, WebTls& tls) {
            if (auto read = read_web_text(value, kPem, context.problems)) {
              tls.*member = std::move(*read);
            }
          }};
}

// OpenSSL 3 supports TLS 1.0 and 1.1 only with broken signatures. A minimum below 1.2 is taken as
// 1.2, which every current client speaks; a maximum below it would leave nothing.
Field<WebTls> version(std::string_view key, TlsVersion WebTls::* member, bool may_be_older) {
  Field<WebTls> field = word<TlsVersion>(key, "version", member, kVersions);
  field.read = [=, read = field.read](const Value& value, ReadContext& context, WebTls& tls) {
    const std::string& text = value.node.text;
    if (text != "TLS10" && text != "TLS11") return read(value, context, tls);
    if (may_be_older) return;
    context.problems.add(value.node.line, value.path,
                         "is too old for OpenSSL 3, which supports it only with broken signatures; "
                         "allowed: " +
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
                "a list of names: DNS, IP address, e-mail or URI, as in the certificate";
            if (!expect_list(value, kAllowed, context.problems)) return;
            auto& allowed = tls.client_allowed_sans.emplace();
            for (std::size_t i = 0; i < value.node.children.size(); ++i) {
              const auto name = read_web_text(value.item(i), kAllowed, context.problems);
              if (name) allowed.push_back(*name);
            }
          }};
}

std::span<const Field<WebTls>> tls_fields() {
  static const std::vector<Field<WebTls>> fields = [] {
    std::vector<Field<WebTls>> all = {
        path("cert_file", &WebTls::cert_file),
        path("key_file", &WebTls::key_file),
        pem("cert", &WebTls::cert),
        pem("key", &WebTls::key),
        word<ClientAuth>("client_auth_type", "policy", &WebTls::client_auth, kClientAuth),
        path("client_ca_file", &WebTls::client_ca_file),
        pem("client_ca", &WebTls::client_ca),
        allowed_sans(),
        version("min_version", &WebTls::min_version, true),
        version("max_version", &WebTls::max_version, false),
        words("cipher_suites", "cipher suite", &WebTls::cipher_suites, kCipherSuites),
        {.key = "prefer_server_cipher_suites",
         .type = "boolean",
         .allowed = "true or false",
         .default_text = "",
         .help = "",
         .read =
             [](const Value& value, ReadContext& context, WebTls& tls) {
               if (const auto read = read_web_boolean(value, context.problems)) {
                 tls.prefer_server_cipher_suites = *read;
               }
             }},
        words("curve_preferences", "curve", &WebTls::curves, kCurves),
    };
    for (Field<WebTls>& field : all) field = may_be_null(std::move(field));
    Field<WebTls>& policy = all[4];  // an empty value is none, as for other readers
    policy.read = [read = policy.read](const Value& value, ReadContext& context, WebTls& tls) {
      if (value.node.kind != YamlNode::Kind::kText || !value.node.text.empty()) {
        read(value, context, tls);
      }
    };
    return all;
  }();
  return fields;
}

// Adds a problem at `key`, which the section has.
void contradict(const Value& section, std::string_view key, std::string_view wrong,
                Problems& problems) {
  const YamlNode& node = *section.node.find(key);
  problems.add(node.line, section.child(node).path, wrong);
}

// An empty text is no value, as for other readers of the format.
bool has_value(const YamlNode& section, std::string_view key) {
  const YamlNode* const node = section.find(key);
  return node != nullptr && node->kind != YamlNode::Kind::kNull &&
         (node->kind != YamlNode::Kind::kText || !node->text.empty());
}

// Whether the section has, with a value, one of the keys that switch TLS on in this format.
bool begins_tls(const YamlNode& section) {
  static constexpr std::array<std::string_view, 7> kKeys = {
      "cert_file", "cert", "key_file", "key", "client_ca_file", "client_ca", "client_auth_type"};
  return std::ranges::any_of(kKeys, [&](std::string_view key) { return has_value(section, key); });
}

void require_one(const Value& section, const std::string& file, const std::string& text,
                 Problems& problems) {
  if (has_value(section.node, file) || has_value(section.node, text)) return;
  problems.add(section.node.line, section.path,
               "one of `" + file + "` and `" + text +
                   "` is missing; allowed: " + std::string(kPath) + ", or " + std::string(kPem));
}

// TLS 1.2 is switched off if the list has no suite of it.
void leave_to_tls_13(const Value& section, WebTls& tls, Problems& problems) {
  const YamlNode* const suites = section.node.find("cipher_suites");
  if (suites == nullptr || suites->children.empty() || !tls.cipher_suites.empty()) return;
  if (tls.max_version == TlsVersion::k12) {
    contradict(section, "cipher_suites",
               "has none of TLS 1.2, which `max_version` requires; allowed: at least one of them",
               problems);
  }
  tls.min_version = TlsVersion::k13;
}

}  // namespace

bool read_web_tls(const Value& value, ReadContext& context, WebTls& tls) {
  read_section<WebTls>(value, kWebTlsAllowed, tls_fields(), context, tls);
  if (value.node.kind != YamlNode::Kind::kMapping || !begins_tls(value.node)) return false;
  Problems& problems = context.problems;
  require_one(value, "cert_file", "cert", problems);
  require_one(value, "key_file", "key", problems);
  if (tls.max_version < tls.min_version) {
    contradict(value, "max_version", "is below min_version; allowed: at least that", problems);
  }
  if (tls.has_client_ca() && tls.client_auth == ClientAuth::kNone) {
    contradict(value, tls.client_ca_file.empty() ? "client_ca" : "client_ca_file",
               "has no effect without `client_auth_type`; allowed: together with "
               "RequireAndVerifyClientCert",
               problems);
  }
  leave_to_tls_13(value, tls, problems);
  return true;
}

}  // namespace pgconn::config
