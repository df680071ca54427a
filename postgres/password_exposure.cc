#include "postgres/password_exposure.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace pgconn::postgres {
namespace {

constexpr int kHasRequireAuth = 16;

bool over_tcp(const std::vector<Endpoint>& endpoints) {
  return !std::ranges::all_of(endpoints, &Endpoint::is_unix_socket);
}

bool is_there(const std::string& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

// With a file of trusted roots, libpq verifies the server's certificate even with `require`.
bool verifies_server(const ConnInfo& conninfo) {
  const std::string mode = conninfo.value("sslmode");
  if (mode.starts_with("verify-")) return true;
  if (mode != "require") return false;
  return !conninfo.value("sslrootcert").empty() || is_there(conninfo.file("sslrootcert"));
}

}  // namespace

bool allows_clear_password(const std::string& require_auth) {
  const bool negated = require_auth.starts_with('!');
  const std::string_view wanted = negated ? "!password" : "password";
  bool named = false;
  std::string_view rest = require_auth;
  while (!rest.empty()) {
    const std::string_view method = rest.substr(0, rest.find(','));
    named = named || method == wanted;
    rest.remove_prefix(std::min(method.size() + 1, rest.size()));
  }
  return require_auth.empty() || named != negated;
}

bool is_to_refuse_clear_password(const ConnInfo& conninfo, const std::vector<Endpoint>& endpoints,
                                 int libpq) {
  return libpq >= kHasRequireAuth && !conninfo.wants_tls() && over_tcp(endpoints) &&
         conninfo.value("require_auth").empty();
}

bool ConnInfo::has_password() const { return password_ || is_there(file("passfile")); }

bool ConnInfo::trusts_whoever_answers(int libpq) const {
  if (!over_tcp(endpoints_) || verifies_server(*this)) return false;
  if (value("channel_binding") == "require") return false;
  if (is_to_refuse_clear_password(*this, endpoints_, libpq)) return false;
  return allows_clear_password(value("require_auth"));
}

}  // namespace pgconn::postgres
