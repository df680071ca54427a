#include "exporter/targets/probed_place.h"

#include <algorithm>

#include "postgres/placeless_dsn.h"

namespace pgconn::exporter {
std::vector<std::string> allowed_addresses(const config::AuthModule& module,
                                           const config::Place& place,
                                           const std::vector<std::string>& addresses) {
  std::vector<std::string> allowed;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(allowed),
               [&](const std::string& address) {
                 return std::any_of(module.allow.begin(), module.allow.end(),
                                    [&](const config::AllowedPlace& allow) {
                                      return allow.covers(place.host, address, place.port);
                                    });
               });
  return allowed;
}

config::Target probed_target(const config::AuthModule& module, std::string name,
                             const config::Place& place,
                             const std::vector<std::string>& addresses) {
  config::Target target = module.target;
  target.name = std::move(name);
  std::vector<postgres::Endpoint> endpoints;
  for (const std::string& address : addresses) {
    endpoints.push_back({place.host, address, std::to_string(place.port)});
  }
  target.dsn = postgres::dsn_at(module.target.dsn, endpoints, place.database);
  return target;
}

}  // namespace pgconn::exporter
