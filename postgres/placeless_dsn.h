// Connection strings that leave open where the server is, to be completed by a place. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/conninfo.h"

namespace pgconn::postgres {

// nullopt if `dsn` may be completed by dsn_at(), else what is wrong with it and what is allowed: it
// must name no server (host, hostaddr, port), no service, no password and no file of passwords.
std::optional<std::string> check_placeless_dsn(std::string_view dsn);

// `dsn` with these endpoints, of which each has a host, an address and a port, and with this
// database unless that is empty. Throws PgError(kConfig) if `dsn` cannot be read.
std::string dsn_at(std::string_view dsn, const std::vector<Endpoint>& endpoints,
                   std::string_view database);

}  // namespace pgconn::postgres
