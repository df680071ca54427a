#include "postgres/libpq_files.h"

#include <cstdlib>
#include <utility>

namespace pgconn::postgres {
namespace {

constexpr std::pair<std::string_view, std::string_view> kFilesAtHome[] = {
    {"sslrootcert", ".postgresql/root.crt"},
    {"sslcert", ".postgresql/postgresql.crt"},
    {"sslkey", ".postgresql/postgresql.key"},
    {"sslcrl", ".postgresql/root.crl"},
    {"passfile", ".pgpass"}};

std::string at_home(std::string_view path) {
  const char* const home = std::getenv("HOME");
  return home == nullptr ? "" : home + ("/" + std::string(path));
}

}  // namespace

std::string file_at_home(std::string_view keyword) {
  for (const auto& [key, path] : kFilesAtHome) {
    if (key == keyword) return at_home(path);
  }
  return "";
}

std::string service_file() {
  const char* const named = std::getenv("PGSERVICEFILE");
  return named != nullptr ? named : at_home(".pg_service.conf");
}

}  // namespace pgconn::postgres
