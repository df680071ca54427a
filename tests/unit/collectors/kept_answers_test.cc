#include "collectors/kept_answers.h"

#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

using Asked = std::vector<const Reading*>;

const Asked kReadings{&server_reading(), &settings_reading(), &hba_rules_reading()};

ServerFacts loaded_at(double time, bool sees_hba_rules) {
  ServerFacts facts;
  facts.config_load_time = time;
  facts.visibility.hba_rules = sees_hba_rules;
  return facts;
}

}  // namespace

TEST_CASE("A new session reads what the configuration decides, as far as it may") {
  KeptAnswers kept;
  CHECK(kept.to_ask(kReadings, loaded_at(1, true)) ==
        Asked{&settings_reading(), &hba_rules_reading()});
  CHECK(kept.to_ask(kReadings, loaded_at(1, false)) == Asked{&settings_reading()});
}

TEST_CASE("A kept answer is read again only after a reload") {
  KeptAnswers kept;
  kept.to_ask(kReadings, loaded_at(1, false));
  kept.keep(settings_reading(), settings({{"max_connections", "100"}}));
  CHECK(kept.to_ask(kReadings, loaded_at(1, false)).empty());
  Readings readings;
  kept.add_to(kReadings, readings);
  CHECK(readings.rows(settings_reading()).size() == 1);
  CHECK(kept.to_ask(kReadings, loaded_at(2, false)) == Asked{&settings_reading()});
  Readings after_reload;
  kept.add_to(kReadings, after_reload);
  CHECK_FALSE(after_reload.has(settings_reading()));
}

TEST_CASE("An error is not kept") {
  using pgconn::postgres::PgError;
  KeptAnswers kept;
  kept.to_ask(kReadings, loaded_at(1, false));
  kept.keep(settings_reading(), PgError(pgconn::postgres::Phase::kQuery,
                                        pgconn::postgres::Reason::kCanceled, "57014", "", false));
  CHECK(kept.to_ask(kReadings, loaded_at(1, false)) == Asked{&settings_reading()});
}

TEST_CASE("Of a reading that is sent once, an error is kept too, as no answer") {
  using pgconn::postgres::PgError;
  KeptAnswers kept;
  const Asked identity{&identity_reading()};
  ServerFacts facts = loaded_at(1, false);
  CHECK(kept.to_ask(identity, facts).empty());
  facts.visibility.identity = true;
  CHECK(kept.to_ask(identity, facts) == identity);
  kept.keep(identity_reading(),
            PgError(pgconn::postgres::Phase::kQuery, pgconn::postgres::Reason::kServerError,
                    "0A000", "", false));
  CHECK(kept.to_ask(identity, facts).empty());
  Readings readings;
  kept.add_to(identity, readings);
  CHECK(readings.rows(identity_reading()).empty());
}

TEST_CASE("Only answers that are wanted are added") {
  KeptAnswers kept;
  kept.to_ask(kReadings, loaded_at(1, false));
  kept.keep(settings_reading(), settings({}));
  Readings readings;
  kept.add_to(Asked{&server_reading()}, readings);
  CHECK_FALSE(readings.has(settings_reading()));
}
