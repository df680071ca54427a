#include "postgres/conninfo.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>

#include "postgres/blocking_files.h"
#include "postgres/conninfo_options.h"
#include "postgres/libpq_files.h"
#include "postgres/password_exposure.h"

namespace pgconn::postgres {
namespace {

constexpr const char* kNoPassfile = "/nonexistent/passfile";

struct ConnectionDeleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

void check_sslmode(const std::string& mode) {
  static constexpr std::array kModes = {"disable", "require", "verify-ca", "verify-full"};
  if (mode.empty() || std::find(kModes.begin(), kModes.end(), mode) != kModes.end()) return;
  const bool known = mode == "prefer" || mode == "allow";
  refuse_conninfo(
      known ? "sslmode=" + mode +
                  " is not supported: it hides why TLS failed; use verify-full, verify-ca, "
                  "require or disable"
            : "sslmode must be verify-full, verify-ca, require or disable");
}

// A password with an unescaped "@" or "/" in a URI ends up as host or port, and these are shown.
void check_endpoint(const Endpoint& endpoint) {
  static constexpr std::string_view kHint =
      "; in a URI, percent-encode what is special in user and password";
  if (!endpoint.is_unix_socket() &&
      endpoint.host.find_first_of("@/?#=\"' \t\r\n") != std::string::npos) {
    refuse_conninfo("the host contains a character that no host name has" + std::string(kHint));
  }
  int port = 0;
  const char* const end = endpoint.port.data() + endpoint.port.size();
  const auto [stop, error] = std::from_chars(endpoint.port.data(), end, port);
  if (error != std::errc() || stop != end || port < 1 || port > 65535) {
    refuse_conninfo("the port must be a number from 1 to 65535" + std::string(kHint));
  }
}

using Attempt = std::unique_ptr<PGconn, ConnectionDeleter>;

// libpq fills in service files, environment and defaults only when it connects. So let it begin to,
// with a gssencmode that it refuses before it touches the network: our own is `disable` anyway.
Attempt attempt_without_network(std::vector<const char*> keywords,
                                std::vector<const char*> values) {
  static constexpr const char* kRefused = "refused-on-purpose";
  keywords.insert(keywords.end(), {"gssencmode", nullptr});
  values.insert(values.end(), {kRefused, nullptr});
  Attempt attempt(PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/1));
  if (!attempt) refuse_conninfo("out of memory");
  const std::string_view message = PQerrorMessage(attempt.get());
  if (message.find(kRefused) == std::string_view::npos) refuse_conninfo(parse_failure(message));
  return attempt;
}

// `dsn` with everything filled in, except that `keyword` has this value.
OptionList merge(const std::string& dsn, const char* keyword, const char* value) {
  const Attempt attempt = attempt_without_network({"dbname", keyword}, {dsn.c_str(), value});
  OptionList options(PQconninfo(attempt.get()));
  if (!options) refuse_conninfo("out of memory");
  return options;
}

// The directory compiled into libpq, which an empty host stands for. Lists of empty names keep
// PGHOST and the like out.
std::string default_socket_directory() {
  const Attempt attempt = attempt_without_network({"host", "hostaddr", "port", "password"},
                                                  {",", ",", "5432", "not read"});
  const char* host = PQhost(attempt.get());
  return host != nullptr ? host : "";
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

std::vector<Endpoint> endpoints_of(const PQconninfoOption* options) {
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
    if (endpoint.host.empty() && endpoint.hostaddr.empty()) {
      endpoint.host = default_socket_directory();
    }
    check_endpoint(endpoint);
  }
  return endpoints;
}

// What we set ourselves or pass separately.
constexpr std::array kOurs = {"host",       "hostaddr",        "port",
                              "password",   "service",         "application_name",
                              "gssencmode", "client_encoding", "fallback_application_name"};

bool is_ours(std::string_view keyword) {
  return std::find(kOurs.begin(), kOurs.end(), keyword) != kOurs.end();
}

}  // namespace

bool take_over_shuffling(Keywords& keywords) {
  bool wanted = false;
  for (auto& [keyword, value] : keywords) {
    if (keyword != "load_balance_hosts" || value != "random") continue;
    value = "disable";
    wanted = true;
  }
  return wanted;
}

ConnInfo ConnInfo::parse(std::string_view dsn) {
  if (dsn.find('\0') != std::string_view::npos)
    refuse_conninfo("the connection string contains a zero byte");
  const bool blank = dsn.find_first_not_of(" \t\r\n") == std::string_view::npos;
  const std::string text(blank ? "" : dsn);
  refuse_blocking_file("PGSERVICEFILE", service_file());
  // The call that merges would take a plain word for a database name.
  ConnInfo info;
  if (!blank) {
    const OptionList own = parse_string(text);
    check_sslmode(find(own.get(), "sslmode"));
    // Merged already, but named again: otherwise libpq, when it connects, fills what is still
    // unset, above all the password, from the service that PGSERVICE names for other targets.
    const std::string service = find(own.get(), "service");
    if (!service.empty()) info.values_.emplace_back("service", service);
  }
  // Without a password libpq reads the password file, and complains on stderr if others can read
  // it. So a password is given, and the real one is asked for with a file that does not exist.
  const OptionList merged = merge(text, "password", "not read");
  info.endpoints_ = endpoints_of(merged.get());
  const OptionList with_password = merge(text, "passfile", kNoPassfile);
  if (const char* password = raw_value(with_password.get(), "password")) info.password_ = password;
  for (const PQconninfoOption* o = merged.get(); o->keyword != nullptr; ++o) {
    if (o->val == nullptr || is_ours(o->keyword)) continue;
    std::string value = o->val;
    // libpq's own default reads `prefer` here.
    if (std::string_view(o->keyword) == "sslmode" && value == "prefer") value = "require";
    if (std::string_view(o->keyword) == "sslmode") check_sslmode(value);
    info.values_.emplace_back(o->keyword, std::move(value));
  }
  info.shuffles_ = take_over_shuffling(info.values_);
  return info;
}

void ConnInfo::forget_password() {
  password_.reset();
  forgets_password_ = true;
  std::erase_if(values_, [](const auto& pair) { return pair.first == "passfile"; });
  values_.emplace_back("passfile", kNoPassfile);
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

std::string ConnInfo::file(std::string_view keyword) const {
  std::string named = value(keyword);
  return named.empty() ? file_at_home(keyword) : named;
}

Keywords ConnInfo::parameters(const std::vector<Endpoint>& resolved,
                              std::string_view application_name, int libpq) const {
  std::string hosts, addresses, ports;
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    const char* separator = i == 0 ? "" : ",";
    hosts += separator + resolved[i].host;
    addresses += separator + resolved[i].hostaddr;
    ports += separator + resolved[i].port;
  }
  Keywords parameters = values_;
  parameters.emplace_back("host", hosts);
  parameters.emplace_back("hostaddr", addresses);
  parameters.emplace_back("port", ports);
  // An empty one keeps the environment's out: see Wire::start().
  if (password_ || forgets_password_) parameters.emplace_back("password", password_.value_or(""));
  parameters.emplace_back("gssencmode", "disable");
  if (is_to_refuse_clear_password(*this, resolved, libpq)) {
    parameters.emplace_back("require_auth", "!password");
  }
  // Names from every database come as UTF-8, whatever the server stores.
  parameters.emplace_back("client_encoding", "UTF8");
  parameters.emplace_back("application_name", application_name);
  return parameters;
}

std::optional<std::string> check_dsn(std::string_view dsn) {
  try {
    const OptionList options = parse_string(std::string(dsn));
    if (!find(options.get(), "password").empty() || !find(options.get(), "sslpassword").empty()) {
      return "a password does not belong in the configuration; use password_file, password_env "
             "or a passfile";
    }
    ConnInfo::parse(dsn);
  } catch (const PgError& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace pgconn::postgres
