#include "postgres/placeless_dsn.h"

#include <array>

#include "postgres/conninfo_options.h"

namespace pgconn::postgres {
namespace {

constexpr std::array kPlaces = {"host", "hostaddr", "port", "service"};

// As libpq's keyword=value form quotes it.
std::string quoted(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

void add(std::string& dsn, std::string_view keyword, std::string_view value) {
  if (!dsn.empty()) dsn += ' ';
  dsn.append(keyword).append("=").append(quoted(value));
}

}  // namespace

std::optional<std::string> check_placeless_dsn(std::string_view dsn) {
  if (auto wrong = check_dsn(dsn)) return wrong;
  const OptionList options = parse_string(std::string(dsn));
  for (const char* keyword : kPlaces) {
    if (find(options.get(), keyword).empty()) continue;
    return "has `" + std::string(keyword) +
           "`; allowed: no host, hostaddr, port or service, since the request says where to "
           "connect";
  }
  if (!find(options.get(), "passfile").empty()) {
    return "has `passfile`; allowed: password_file or password_env, so that nothing but this "
           "module's password is sent";
  }
  return std::nullopt;
}

std::string dsn_at(std::string_view dsn, const std::vector<Endpoint>& endpoints,
                   std::string_view database) {
  const OptionList options = parse_string(std::string(dsn));
  std::string text;
  for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o) {
    const bool replaced = std::string_view(o->keyword) == "dbname" && !database.empty();
    if (o->val != nullptr && !replaced) add(text, o->keyword, o->val);
  }
  std::string hosts, addresses, ports;
  for (const Endpoint& endpoint : endpoints) {
    const char* separator = hosts.empty() ? "" : ",";
    hosts += separator + endpoint.host;
    addresses += separator + endpoint.hostaddr;
    ports += separator + endpoint.port;
  }
  add(text, "host", hosts);
  add(text, "hostaddr", addresses);
  add(text, "port", ports);
  if (!database.empty()) add(text, "dbname", database);
  return text;
}

}  // namespace pgconn::postgres
