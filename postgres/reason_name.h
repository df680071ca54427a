// What a failure is called in labels and in the log.
#pragma once

#include <string_view>

#include "postgres/error.h"

namespace pgconn::postgres {

// to_string(error.reason()), except that a login refused with 53300 says which limit on connections
// was reached if the server says so in English: `role_limit`, `database_limit`, or
// `too_many_connections` where the server itself has no slot left. Pure; any thread.
std::string_view reason_name(const PgError& error);

}  // namespace pgconn::postgres
