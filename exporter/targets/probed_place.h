// The server that a request to /probe names. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/place.h"

namespace pgconn::exporter {

// Those of `addresses`, to which the host resolved, that the module may connect to.
std::vector<std::string> allowed_addresses(const config::AuthModule& module,
                                           const config::Place& place,
                                           const std::vector<std::string>& addresses);

// The target named `name` at these addresses of the place, so that nothing is looked up again.
// Throws PgError(kConfig).
config::Target probed_target(const config::AuthModule& module, std::string name,
                             const config::Place& place, const std::vector<std::string>& addresses);

}  // namespace pgconn::exporter
