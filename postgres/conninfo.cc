#include "postgres/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

namespace pgconn::postgres {
namespace {

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionList = std::unique_ptr<PQconninfoOption, OptionsDeleter>;

struct ConnectionDeleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

[[noreturn]] void fail(const std::string& message) {
  throw PgError(Phase::kConfig, Reason::kConfig, "", message, true);
}

// libpq quotes what it could not read, and that may be half a password: only single characters,
// which are its own syntax ("=", "]"), are kept.
std::string without_quoted(std::string_view message) {
  std::string text;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) {
    message.remove_suffix(1);
  }
  while (!message.empty()) {
    const std::size_t open = message.find('"');
    text += message.substr(0, open);
    if (open == std::string_view::npos) break;
    message.remove_prefix(open + 1);
    const std::size_t close = message.find('"');
    const std::string_view quoted = message.substr(0, close);
    text += quoted.size() <= 1 ? "\"" + std::string(quoted) + "\"" : "\"…\"";
    message = close == std::string_view::npos ? std::string_view() : message.substr(close + 1);
  }
  return text;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

// The keyword somebody may have meant. The word itself is never shown.
std::string suggestion(std::string_view message) {
  const std::size_t open = message.find('"');
  const std::size_t close = message.find('"', open + 1);
  if (open == std::string_view::npos || close == std::string_view::npos) return "";
  const std::string_view word = message.substr(open + 1, close - open - 1);
  const OptionList known(PQconndefaults());
  std::string best;
  std::size_t best_distance = 3;  // two typing errors, no more
  for (const PQconninfoOption* o = known.get(); o != nullptr && o->keyword != nullptr; ++o) {
    const std::size_t distance = edit_distance(word, o->keyword);
    if (distance < best_distance) {
      best_distance = distance;
      best = o->keyword;
    }
  }
  return best.empty() ? "" : "; did you mean \"" + best + "\"?";
}

std::string parse_failure(std::string_view message) {
  std::string text = "not a usable connection string: " + without_quoted(message);
  if (message.find("invalid connection option") != std::string_view::npos ||
      message.find("invalid URI query parameter") != std::string_view::npos) {
    text += suggestion(message);
  } else if (message.find("missing \"=\"") != std::string_view::npos) {
    text += "; put values that contain blanks in single quotes";
  }
  return text;
}

// The options that the string itself sets.
OptionList parse_string(const std::string& dsn) {
  char* error = nullptr;
  OptionList options(PQconninfoParse(dsn.c_str(), &error));
  const std::unique_ptr<char, void (*)(void*)> owner(error, PQfreemem);
  if (!options) fail(parse_failure(error != nullptr ? error : "out of memory"));
  return options;
}

std::string find(const PQconninfoOption* options, std::string_view keyword) {
  for (; options != nullptr && options->keyword != nullptr; ++options) {
    if (options->keyword == keyword) return options->val != nullptr ? options->val : "";
  }
  return "";
}

void check_sslmode(const std::string& mode) {
  if (mode == "prefer" || mode == "allow") {
    fail("sslmode=" + mode +
         " is not supported: it hides why TLS failed; use verify-full, verify-ca, require or "
         "disable");
  }
}

struct Merged {
  OptionList options;
  std::string default_host;  // the socket directory compiled into libpq
};

// libpq fills in service files, environment and defaults only when it connects. So let it start to,
// with a gssencmode that it refuses before it touches the network: our own is `disable` anyway.
Merged merge(const std::string& dsn) {
  static constexpr const char* kRefused = "refused-on-purpose";
  const char* const keywords[] = {"dbname", "gssencmode", nullptr};
  const char* const values[] = {dsn.c_str(), kRefused, nullptr};
  const std::unique_ptr<PGconn, ConnectionDeleter> attempt(
      PQconnectStartParams(keywords, values, /*expand_dbname=*/1));
  if (!attempt) fail("out of memory");
  const std::string_view message = PQerrorMessage(attempt.get());
  if (message.find(kRefused) == std::string_view::npos) {
    fail("not a usable connection string: " + one_line(message));
  }
  Merged merged;
  merged.options.reset(PQconninfo(attempt.get()));
  if (!merged.options) fail("out of memory");
  if (const char* host = PQhost(attempt.get())) merged.default_host = host;
  return merged;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::size_t start = 0;
  for (;;) {
    const std::size_t comma = list.find(',', start);
    items.push_back(list.substr(start, comma - start));
    if (comma == std::string::npos) return items;
    start = comma + 1;
  }
}

std::vector<Endpoint> endpoints_of(const PQconninfoOption* options,
                                   const std::string& default_host) {
  const auto hosts = split(find(options, "host"));
  const auto addresses = split(find(options, "hostaddr"));
  const auto ports = split(find(options, "port"));
  std::vector<Endpoint> endpoints(std::max(hosts.size(), addresses.size()));
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    Endpoint& endpoint = endpoints[i];
    if (i < hosts.size()) endpoint.host = hosts[i];
    if (i < addresses.size()) endpoint.hostaddr = addresses[i];
    endpoint.port = ports.size() == endpoints.size() ? ports[i] : ports[0];
    if (endpoint.port.empty()) endpoint.port = "5432";
    if (endpoint.host.empty() && endpoint.hostaddr.empty()) endpoint.host = default_host;
  }
  return endpoints;
}

// What we set ourselves or hand over apart; `service` has been read already.
constexpr std::array kOurs = {"host",       "hostaddr",        "port",
                              "password",   "service",         "application_name",
                              "gssencmode", "client_encoding", "fallback_application_name"};

bool is_ours(std::string_view keyword) {
  return std::find(kOurs.begin(), kOurs.end(), keyword) != kOurs.end();
}

}  // namespace

ConnInfo ConnInfo::parse(std::string_view dsn) {
  const std::string text(dsn);
  // A plain word would be taken for a database name by the call that merges.
  if (!text.empty()) check_sslmode(find(parse_string(text).get(), "sslmode"));
  const Merged merged = merge(text);
  ConnInfo info;
  info.endpoints_ = endpoints_of(merged.options.get(), merged.default_host);
  info.password_ = find(merged.options.get(), "password");
  for (const PQconninfoOption* o = merged.options.get(); o->keyword != nullptr; ++o) {
    if (o->val == nullptr || *o->val == '\0' || is_ours(o->keyword)) continue;
    std::string value = o->val;
    // libpq's own default reads `prefer` here.
    if (std::string_view(o->keyword) == "sslmode" && value == "prefer") value = "require";
    if (std::string_view(o->keyword) == "sslmode") check_sslmode(value);
    info.values_.emplace_back(o->keyword, std::move(value));
  }
  return info;
}

std::string ConnInfo::value(std::string_view keyword) const {
  for (const auto& [key, value] : values_) {
    if (key == keyword) return value;
  }
  return "";
}

std::string ConnInfo::display() const {
  const Endpoint& first = endpoints_.front();
  if (first.is_unix_socket()) return first.host + ":" + first.port;
  const std::string& host = first.host.empty() ? first.hostaddr : first.host;
  const bool bare_ipv6 = host.find(':') != std::string::npos;
  return (bare_ipv6 ? "[" + host + "]" : host) + ":" + first.port;
}

std::vector<std::pair<std::string, std::string>> ConnInfo::parameters(
    const std::vector<Endpoint>& resolved, std::string_view application_name) const {
  std::string hosts, addresses, ports;
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    const char* separator = i == 0 ? "" : ",";
    hosts += separator + resolved[i].host;
    addresses += separator + resolved[i].hostaddr;
    ports += separator + resolved[i].port;
  }
  std::vector<std::pair<std::string, std::string>> parameters = values_;
  parameters.emplace_back("host", hosts);
  parameters.emplace_back("hostaddr", addresses);
  parameters.emplace_back("port", ports);
  if (!password_.empty()) parameters.emplace_back("password", password_);
  parameters.emplace_back("gssencmode", "disable");
  // Names from every database come as UTF-8, whatever the server stores.
  parameters.emplace_back("client_encoding", "UTF8");
  parameters.emplace_back("application_name", application_name);
  return parameters;
}

std::optional<std::string> check_dsn(std::string_view dsn) {
  try {
    const OptionList options = parse_string(std::string(dsn));
    if (!find(options.get(), "password").empty() || !find(options.get(), "sslpassword").empty()) {
      return "a password does not belong into the configuration; use password_file, password_env "
             "or a passfile";
    }
    ConnInfo::parse(dsn);
  } catch (const PgError& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace pgconn::postgres
