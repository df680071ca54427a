#include "probes/drops/remains.h"

#include "tests/support/catch.h"

namespace pgconn::probes {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

const steady_clock::time_point kNow{std::chrono::hours(10)};

Drop lost_canary(const char* sqlstate = "") {
  return {.probe = ProbeKind::kIdle,
          .error = postgres::PgError(postgres::Phase::kQuery, postgres::Reason::kTimeout, sqlstate,
                                     "no answer", true),
          .opened = kNow - seconds(350),
          .backend_pid = 4711};
}

TEST_CASE(
    "the session that a silent loss has left is ended: that process, of our role and kind, and as "
    "old") {
  const std::string sql = end_of_remains(lost_canary(), kNow);
  CHECK(sql.find("pid = 4711 ") != std::string::npos);
  CHECK(sql.find("usename = current_user") != std::string::npos);
  CHECK(sql.find("'pgconn_exporter/idle'") != std::string::npos);
  CHECK(sql.find("interval '348 s'") != std::string::npos);
}

TEST_CASE("sessions that the server ended itself, and unknown ones, are left alone") {
  CHECK(end_of_remains(lost_canary("57P01"), kNow).empty());
  Drop unknown = lost_canary();
  unknown.backend_pid = 0;
  CHECK(end_of_remains(unknown, kNow).empty());
}

}  // namespace
}  // namespace pgconn::probes
