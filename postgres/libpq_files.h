// The files that libpq opens without being told. Reads the environment; any thread. Internal to
// postgres/.
#pragma once

#include <string>
#include <string_view>

namespace pgconn::postgres {

// Its default in the home directory for `sslrootcert`, `sslcert`, `sslkey`, `sslcrl` or `passfile`.
// Empty for other keywords, or without a home.
std::string file_at_home(std::string_view keyword);

// Where it looks for services first. Empty without a home.
std::string service_file();

}  // namespace pgconn::postgres
