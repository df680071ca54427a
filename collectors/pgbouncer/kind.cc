// PgBouncer's console as a kind of target.
#include <array>
#include <stdexcept>
#include <string>

#include "collectors/kind.h"
#include "collectors/pgbouncer/builtin.h"
#include "collectors/pgbouncer/console_rows.h"
#include "collectors/pgbouncer/pooler_config.h"
#include "collectors/pgbouncer/readings.h"

namespace pgconn::collectors {
namespace {

constexpr std::string_view kName = "PgBouncer ";
constexpr std::size_t kLongestVersion = 50;

// With so_reuseport other processes may share the port. peer_id tells them apart, from 1.19 on and
// where it is set.
void add_process(const Readings& readings, ServerFacts& facts) {
  const postgres::Rows* const answer = readings.find(pooler_config_reading());
  if (answer == nullptr) return;
  const PoolerConfig config = read_pooler_config(*answer);
  facts.shares_address = config.number("so_reuseport") == 1;
  const double peer = config.number("peer_id").value_or(0);
  if (peer > 0) facts.process = std::string(*config.text("peer_id"));
}

// The commands that the console was given since the process began: PgBouncer does not tell when
// that was.
std::optional<double> console_commands(const Readings& readings) {
  const postgres::Rows* const answer = readings.find(pooler_stats_reading());
  if (answer == nullptr) return std::nullopt;
  const ConsoleRows rows(*answer, "database");
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.text(row, "database") == kConsole) return rows.number(row, "total_query_count");
  }
  return std::nullopt;
}

std::optional<ServerFacts> facts(const Readings& readings, const Options&) {
  const postgres::Rows* const rows = readings.find(pooler_version_reading());
  if (rows == nullptr || rows->empty()) return std::nullopt;
  const std::string_view version = postgres::text_or(rows->only("version"), "");
  if (!version.starts_with(kName)) throw std::invalid_argument("not a version of PgBouncer");
  ServerFacts facts;
  facts.version = version.substr(kName.size(), kLongestVersion);
  add_process(readings, facts);
  facts.work_done = console_commands(readings);
  return facts;
}

}  // namespace

const TargetKind& pgbouncer_kind() {
  // In this order: counters are not to be read before it is known whose they are.
  static const std::array further{&pooler_config_reading(), &pooler_stats_reading()};
  static const TargetKind kind{
      .name = "pgbouncer",
      .peer = {.product = "PgBouncer",
               .oldest_version = 11800,
               .protocol = postgres::Protocol::kSimple,
               .takes_setup = false,
               .ping = {.sql = "SHOW VERSION", .column = "version", .answer = kName},
               .is_console = true},
      .collectors = pgbouncer_builtin(),
      .server = pooler_version_reading(),
      .further = further,
      .facts = facts,
      .explained = nullptr,
      .grant = {}};
  return kind;
}

}  // namespace pgconn::collectors
