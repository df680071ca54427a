#include "postgres/reason_name.h"

namespace pgconn::postgres {

std::string_view reason_name(const PgError& error) {
  const std::string_view message = error.what();
  const auto says = [message](std::string_view text) { return message.find(text) != message.npos; };
  if (error.sqlstate() == "53300" && says("too many connections for role \"")) return "role_limit";
  if (error.sqlstate() == "53300" && says("too many connections for database \"")) {
    return "database_limit";
  }
  return to_string(error.reason());
}

}  // namespace pgconn::postgres
