#include "collectors/kind.h"

#include <algorithm>
#include <set>

#include "collectors/postgres/readings.h"
#include "tests/support/catch.h"

using namespace pgconn::collectors;
using pgconn::postgres::PgError;
using pgconn::postgres::Phase;
using pgconn::postgres::Reason;

namespace {

PgError explained(const std::string& sqlstate, const std::string& message) {
  return postgres_kind().explained(
      PgError(Phase::kQuery, Reason::kServerError, sqlstate, message, false));
}

}  // namespace

TEST_CASE("Each kind has a name of its own and is asked what it is in every scrape") {
  std::set<std::string_view> names;
  for (const TargetKind* kind : kinds()) {
    CHECK(names.insert(kind->name).second);
    CHECK(kind->server.refresh == Refresh::kEachScrape);
    CHECK(kind->server.for_version(kind->peer.oldest_version));
    CHECK(kind->facts != nullptr);
  }
}

TEST_CASE("All collectors are those of each kind, in its order") {
  CHECK(std::ranges::equal(all_collectors(), postgres_kind().collectors));
}

TEST_CASE("That our role was dropped is read off PostgreSQL's answer about itself") {
  CHECK(explained("42704", "role \"monitor\" does not exist").reason() == Reason::kRoleMissing);
  CHECK(explained("42704", "role \"monitor\" does not exist").fatal());
  // One of the system's own: an old or foreign server.
  CHECK(explained("42704", "role \"pg_monitor\" does not exist").reason() == Reason::kServerError);
  CHECK(explained("42501", "permission denied").reason() == Reason::kServerError);
}
