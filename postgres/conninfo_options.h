// What libpq reads from a connection string. Internal to postgres/; its public interfaces are
// conninfo.h and placeless_dsn.h. Errors repeat no part of the string that could be a secret.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

namespace pgconn::postgres {

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using OptionList = std::unique_ptr<PQconninfoOption, OptionsDeleter>;

// Throws PgError(kConfig).
[[noreturn]] void refuse_conninfo(const std::string& message);

// The message for what libpq said about a string that it could not read.
std::string parse_failure(std::string_view message);

// The options that the string itself sets. Throws PgError(kConfig).
OptionList parse_string(const std::string& dsn);

// The value of a keyword; nullptr if unset, which is not the same as empty.
const char* raw_value(const PQconninfoOption* options, std::string_view keyword);
// The same; empty if unset.
std::string find(const PQconninfoOption* options, std::string_view keyword);

}  // namespace pgconn::postgres
