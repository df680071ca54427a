#include "exporter/targets/target_counters.h"

#include <utility>

#include "exporter/own_metrics/exporter_metrics.h"
#include "postgres/reason_name.h"
#include "postgres/sqlstate.h"

namespace pgconn::exporter {
namespace {

using postgres::Reason;

// What a scrape is likely to meet.
constexpr std::pair<Reason, const char*> kForeseen[] = {{Reason::kResolve, ""},
                                                        {Reason::kRefused, ""},
                                                        {Reason::kTimeout, ""},
                                                        {Reason::kAuthentication, "28P01"},
                                                        {Reason::kTooManyConnections, "53300"},
                                                        {Reason::kStarting, "57P03"},
                                                        {Reason::kTerminated, "57P01"}};

}  // namespace

void foresee_target(metrics::Instruments& instruments) {
  for (const auto& [reason, sqlstate] : kForeseen) {
    instruments.count(families::kScrapeErrors, {std::string(to_string(reason)), sqlstate}, 0);
  }
  for (const char* kind : {"clean", "crash"}) {
    instruments.count(families::kServerRestarts, {kind}, 0);
  }
  instruments.count(families::kServerMoves, {}, 0);
  instruments.count(families::kRepairedValues, {}, 0);
  instruments.count(families::kInternalErrors, {}, 0);
}

void count_failure(metrics::Instruments& instruments, const postgres::PgError& error) {
  instruments.count(
      families::kScrapeErrors,
      {std::string(reason_name(error)), std::string(postgres::sqlstate_label(error.sqlstate()))});
}

}  // namespace pgconn::exporter
