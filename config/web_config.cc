#include "config/web_config.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "config/loader.h"
#include "config/web_tls_schema.h"
#include "config/web_values.h"
#include "config/web_warnings.h"
#include "config/yaml_document.h"
#include "text/ascii.h"
#include "text/join.h"

namespace pgconn::config {
namespace {

constexpr std::string_view kHashAllowed =
    "60 characters that begin with `$2a$`, `$2b$` or `$2y$`, as `htpasswd -nBC 10 \"\"` prints "
    "them";

// What is wrong with the hash, or nullopt. Everything that crypt() knows except bcrypt is refused:
// crypt() also takes formats that look at only eight letters of a password.
std::optional<std::string> wrong_with_hash(std::string_view hash) {
  const auto is_of_radix64 = [](char c) {
    return text::is_letter_or_digit(c) || c == '.' || c == '/';
  };
  const bool is_bcrypt =
      hash.size() == 60 &&
      (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$")) &&
      text::is_digit(hash[4]) && text::is_digit(hash[5]) && hash[6] == '$' &&
      std::ranges::all_of(hash.substr(7), is_of_radix64);
  if (!is_bcrypt) return "is not a bcrypt hash; allowed: " + std::string(kHashAllowed);
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < 4 || cost > 31) return "has the cost " + std::to_string(cost) + "; allowed: 4 to 31";
  return std::nullopt;
}

void read_users(const Value& value, ReadContext& context, WebConfig& web) {
  constexpr std::string_view kAllowed = "a mapping of user names to bcrypt hashes";
  if (!expect_mapping(value, kAllowed, context.problems)) return;
  for (const YamlNode& node : value.node.children) {
    const Value user = value.child(node);
    const auto hash = read_web_text(user, kHashAllowed, context.problems);
    if (!hash) continue;
    if (const auto wrong = wrong_with_hash(*hash)) {
      context.problems.add(node.line, user.path, *wrong);
    }
    web.users[node.key] = *hash;
  }
}

// The headers that the format knows, and the values that those with a fixed set may have.
struct KnownHeader {
  std::string_view name;
  std::vector<std::string_view> values;
};

const std::vector<KnownHeader>& known_headers() {
  static const std::vector<KnownHeader> headers = {
      {"Content-Security-Policy", {}},         {"X-Frame-Options", {"deny", "sameorigin"}},
      {"X-Content-Type-Options", {"nosniff"}}, {"X-XSS-Protection", {}},
      {"Strict-Transport-Security", {}},
  };
  return headers;
}

void read_header(const KnownHeader& known, const Value& value, ReadContext& context,
                 WebConfig& web) {
  const std::string allowed = known.values.empty() ? "printable text" : text::joined(known.values);
  // Written plain, `X-XSS-Protection: 0` is a number for YAML and text for everybody else.
  if (value.node.kind != YamlNode::Kind::kText) {
    context.problems.add(value.node.line, value.path, "is not text; allowed: " + allowed);
    return;
  }
  // As other exporters send a header: on one line, without blanks around it.
  std::string text = value.node.text;
  std::ranges::replace_if(text, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  text.erase(text.find_last_not_of(" \t") + 1);
  text.erase(0, text.find_first_not_of(" \t"));
  const bool printable = std::ranges::none_of(
      text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7F'; });
  const bool of_set = known.values.empty() || text.empty() ||
                      std::ranges::find(known.values, text) != known.values.end();
  if (!printable || !of_set) {
    context.problems.add(value.node.line, value.path,
                         "is not of the allowed form; allowed: " + allowed);
  } else if (!text.empty()) {  // an empty value is the format's way to leave a header out
    web.headers.emplace_back(known.name, text);
  }
}

std::span<const Field<WebConfig>> header_fields() {
  static const std::vector<Field<WebConfig>> fields = [] {
    std::vector<Field<WebConfig>> all;
    for (const KnownHeader& known : known_headers()) {
      all.push_back({.key = std::string(known.name),
                     .type = "text",
                     .allowed = "",
                     .default_text = "",
                     .help = "",
                     .read = [&known](const Value& value, ReadContext& context, WebConfig& web) {
                       read_header(known, value, context, web);
                     }});
    }
    return all;
  }();
  return fields;
}

Field<WebConfig> section(std::string_view key,
                         std::function<void(const Value&, ReadContext&, WebConfig&)> read) {
  return may_be_null(Field<WebConfig>{.key = std::string(key),
                                      .type = "mapping",
                                      .allowed = "",
                                      .default_text = "",
                                      .help = "",
                                      .read = std::move(read)});
}

std::span<const Field<WebConfig>> http_fields() {
  static const std::vector<Field<WebConfig>> fields = {
      // Every client that speaks HTTP/2 falls back to HTTP/1.1.
      section("http2",
              [](const Value& value, ReadContext& context, WebConfig&) {
                static_cast<void>(read_web_boolean(value, context.problems));
              }),
      section("headers",
              [](const Value& value, ReadContext& context, WebConfig& web) {
                read_section<WebConfig>(value, "a mapping of header names to text", header_fields(),
                                        context, web);
              }),
  };
  return fields;
}

void read_interval(const Value& value, ReadContext& context, RateLimit& limit) {
  constexpr std::string_view kAllowed = "a duration such as 500ms, 1s or 1m30s, or 0 for no limit";
  const auto text = read_web_text(value, kAllowed, context.problems);
  if (!text) return;
  // A number without a unit counts nanoseconds, as Go does.
  const bool number =
      !value.node.quoted && !text->empty() && std::ranges::all_of(*text, text::is_digit);
  try {
    limit.interval = parse_go_duration(number ? *text + "ns" : *text);
  } catch (const std::invalid_argument& error) {
    context.problems.add(
        value.node.line, value.path,
        "the value " + std::string(error.what()) + "; allowed: " + std::string(kAllowed));
  }
}

void read_burst(const Value& value, ReadContext& context, RateLimit& limit) {
  constexpr IntegerRange kRange = {-1'000'000'000, 1'000'000'000};
  if (const auto read = read_integer(value, kRange, context.problems)) limit.burst = *read;
}

std::span<const Field<RateLimit>> rate_fields() {
  static const std::vector<Field<RateLimit>> fields = {
      may_be_null(Field<RateLimit>{.key = "interval",
                                   .type = "duration",
                                   .allowed = "",
                                   .default_text = "",
                                   .help = "",
                                   .read = read_interval}),
      may_be_null(Field<RateLimit>{.key = "burst",
                                   .type = "integer",
                                   .allowed = "",
                                   .default_text = "",
                                   .help = "",
                                   .read = read_burst}),
  };
  return fields;
}

std::span<const Field<WebConfig>> web_fields() {
  static const std::vector<Field<WebConfig>> fields = {
      section("tls_server_config",
              [](const Value& value, ReadContext& context, WebConfig& web) {
                WebTls tls;
                if (read_web_tls(value, context, tls)) web.tls = std::move(tls);
              }),
      section("http_server_config",
              [](const Value& value, ReadContext& context, WebConfig& web) {
                read_section<WebConfig>(value, "a mapping of `http2` and `headers`", http_fields(),
                                        context, web);
              }),
      section("basic_auth_users", read_users),
      section("rate_limit",
              [](const Value& value, ReadContext& context, WebConfig& web) {
                read_section<RateLimit>(value, "a mapping of `interval` and `burst`", rate_fields(),
                                        context, web.rate_limit);
              }),
  };
  return fields;
}

void put_directory_before(std::string& path, const std::filesystem::path& directory) {
  if (!path.empty()) path = (directory / path).string();  // an absolute path stays as it is
}

// An empty file has no section, and sets nothing.
YamlNode parse_web_document(std::string_view yaml, Problems& problems) {
  YamlNode root = parse_document(yaml, problems, std::nullopt);
  if (root.kind == YamlNode::Kind::kNull) root.kind = YamlNode::Kind::kMapping;
  return root;
}

}  // namespace

WebConfig load_web_text(std::string_view yaml, const std::string& path) {
  Problems problems(path);
  const YamlNode root = parse_web_document(yaml, problems);
  const Vocabulary none;
  ReadContext context{none, problems};
  WebConfig web;
  read_section<WebConfig>({root, ""}, "a mapping such as `basic_auth_users`", web_fields(), context,
                          web);
  problems.throw_if_any();
  if (web.tls) {
    const std::filesystem::path directory = std::filesystem::path(path).parent_path();
    put_directory_before(web.tls->cert_file, directory);
    put_directory_before(web.tls->key_file, directory);
    put_directory_before(web.tls->client_ca_file, directory);
  }
  web.warnings = web_warnings(root, web, path);
  return web;
}

WebConfig load_web_file(const std::string& path) {
  return load_web_text(read_configuration(path), path);
}

}  // namespace pgconn::config
