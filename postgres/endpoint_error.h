// How one endpoint of several answered an attempt to connect. libpq goes on to the next and forgets
// the answer when that one accepts us, but the first one's refusal may explain everything (a
// failover). Values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postgres/error.h"

namespace pgconn::postgres {

struct EndpointError {
  std::string endpoint;  // "address:port", or the path of a Unix socket
  PgError error;
};

std::string endpoint_name(std::string_view host, std::string_view address, std::string_view port);

// Reads them from libpq's message about an attempt that goes on or has failed, in order. What it
// does not say about an endpoint is left out. Pure.
std::vector<EndpointError> endpoint_errors(std::string_view message);

}  // namespace pgconn::postgres
