// Connection strings. The only place that knows libpq's keywords and our rules about them. Values;
// any thread. Passwords enter through `password` alone and never leave through an error or a label.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postgres/error.h"
#include "postgres/library.h"

namespace pgconn::postgres {

// One place to try: a host (name, address or socket directory), an address if it is known, a port.
struct Endpoint {
  std::string host;
  std::string hostaddr;
  std::string port;
  bool is_unix_socket() const { return !host.empty() && (host[0] == '/' || host[0] == '@'); }
};

using Keywords = std::vector<std::pair<std::string, std::string>>;

// From libpq 16 on, load_balance_hosts=random makes libpq shuffle the hosts without showing the
// order. If these keywords ask for that, they are changed to `disable`, and this is true.
bool take_over_shuffling(Keywords& keywords);

class ConnInfo {
 public:
  // Reads a connection string (keyword=value or URI) as libpq does: service files and the PG*
  // environment fill what it leaves out. Our rules on top: gssencmode=disable; sslmode is `require`
  // unless set, and never `prefer` or `allow` (they retry without TLS and hide why TLS failed).
  // Throws PgError(kConfig) whose message repeats no part of the string that could be a secret.
  static ConnInfo parse(std::string_view dsn);

  void set_password(std::string password) { password_ = std::move(password); }
  // No password is sent but one that is set afterwards: none of the string, of a service, of the
  // environment or of libpq's password file.
  void forget_password();

  const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  // The value of a libpq keyword other than host, hostaddr, port and password; empty if unset.
  std::string value(std::string_view keyword) const;
  // The file that libpq opens for `sslrootcert`, `sslcert`, `sslkey`, `sslcrl` or `passfile`: the
  // named one, else its own in the home directory. Empty if there is no home either.
  std::string file(std::string_view keyword) const;
  std::string user() const { return value("user"); }
  std::string database() const { return value("dbname"); }
  // The endpoints must be tried in random order (load_balance_hosts=random): the caller does that,
  // since libpq does not with these parameters().
  bool shuffles() const { return shuffles_; }
  bool wants_tls() const { return value("sslmode") != "disable"; }
  // A password would be sent if asked for: one that was set, or that may be in libpq's password
  // file, which is looked for.
  bool has_password() const;
  // Over TCP, an impostor that answers in the server's place gets the password itself if it asks:
  // nothing verifies who it is, and nothing keeps libpq, of this major version, from sending it.
  // Looks for libpq's own file of trusted roots.
  bool trusts_whoever_answers(int libpq = libpq_major()) const;

  // "host:port" of the first endpoint for people; a socket directory as it is.
  std::string display() const;

  // Keywords and values for Wire::start() with the given endpoints and application name. Where
  // libpq, of this major version, can refuse it (16 and newer), a password is not sent in the
  // clear.
  Keywords parameters(const std::vector<Endpoint>& resolved, std::string_view application_name,
                      int libpq = libpq_major()) const;

 private:
  Keywords values_;
  bool shuffles_ = false;
  std::vector<Endpoint> endpoints_;
  std::optional<std::string> password_;
  bool forgets_password_ = false;
};

// Whether a value of require_auth, a list of methods that are allowed or (`!`) not, lets the server
// get the password itself.
bool allows_clear_password(const std::string& require_auth);

// nullopt if `dsn` is a usable connection string for a configuration file, else what is wrong with
// it and what is allowed. Unlike parse() it refuses a password in the string itself.
std::optional<std::string> check_dsn(std::string_view dsn);

}  // namespace pgconn::postgres
