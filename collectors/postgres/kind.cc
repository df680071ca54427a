// PostgreSQL as a kind of target.
#include "collectors/kind.h"

#include <array>
#include <string>

#include "collectors/postgres/builtin.h"
#include "collectors/postgres/facts.h"
#include "collectors/postgres/readings.h"

namespace pgconn::collectors {
namespace {

using postgres::PgError;
using postgres::Reason;

// Every name in the question about the server is the system's own, but for our role's: that one can
// be dropped while a session of it lives. In any language.
PgError explained(const PgError& error) {
  const bool names_the_system = std::string_view(error.what()).find("pg_") != std::string::npos;
  if (error.sqlstate() != "42704" || names_the_system) return error;
  return PgError(error.phase(), Reason::kRoleMissing, error.sqlstate(),
                 "our role was dropped: " + std::string(error.what()), true);
}

}  // namespace

const TargetKind& postgres_kind() {
  static const std::array further{&identity_reading()};
  static const TargetKind kind{.name = "postgres",
                               .peer = {},
                               .collectors = builtin(),
                               .server = server_reading(),
                               .further = further,
                               .facts = facts,
                               .explained = explained,
                               .grant = "GRANT pg_monitor"};
  return kind;
}

}  // namespace pgconn::collectors
