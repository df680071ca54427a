// Time settings overridden for roles and databases (ALTER ROLE … SET, ALTER DATABASE … SET), and
// which value applies to whom. A value; immutable once built, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgconn::collectors {

struct Override {
  std::string setting;
  std::string database, role;     // empty: all
  std::optional<double> seconds;  // nullopt: not of a form we can read
  bool applies = true;            // false: the role may not log in, or nobody works in the database
};

class Overrides {
 public:
  // None.
  Overrides() = default;
  // Beside them, how many roles may log in and how many databases there are to work in.
  Overrides(std::vector<Override> overrides, std::int64_t login_roles, std::int64_t databases)
      : overrides_(std::move(overrides)), login_roles_(login_roles), databases_(databases) {}

  const std::vector<Override>& all() const { return overrides_; }

  // The value in seconds for sessions of `role` in `database`, in PostgreSQL's order: role in
  // database, role, database, all roles, `server` (the server's own value, nullopt if unknown).
  std::optional<double> effective(std::string_view setting, std::string_view database,
                                  std::string_view role, std::optional<double> server) const;

  // True if the server's own value applies to at least one login role in one database.
  bool server_value_applies(std::string_view setting) const;

  // True if any override gives it a value other than 0.
  bool any_enables(std::string_view setting) const;

 private:
  const Override* find(std::string_view setting, std::string_view database,
                       std::string_view role) const;

  std::vector<Override> overrides_;
  // Login roles, and databases to work in: known only where there are overrides, else 1 stands for
  // "some".
  std::int64_t login_roles_ = 1;
  std::int64_t databases_ = 1;
};

}  // namespace pgconn::collectors
