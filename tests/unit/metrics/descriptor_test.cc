#include "metrics/descriptor.h"

#include "tests/support/catch.h"

namespace pgconn::metrics {
namespace {

TEST_CASE("a descriptor keeps what it was declared with") {
  constexpr Descriptor d = gauge("pgconn_transaction_oldest_seconds", "Oldest transaction.",
                                 {"database", "user"}, Unit::kSeconds, Fold::kMax);
  CHECK(d.name == "pgconn_transaction_oldest_seconds");
  CHECK(d.help == "Oldest transaction.");
  CHECK(d.type == Type::kGauge);
  CHECK(d.unit == Unit::kSeconds);
  CHECK(d.fold == Fold::kMax);
  REQUIRE(d.labels().size() == 2);
  CHECK(d.labels()[0] == "database");
  CHECK(d.labels()[1] == "user");
}

TEST_CASE("a descriptor takes as many labels as there is room for") {
  constexpr Descriptor d = gauge("pgconn_x", "X.", {"a", "b", "c", "d", "e", "f", "g", "h"});
  CHECK(d.labels().size() == kMaxLabels);
}

TEST_CASE("names of every type with their units are accepted") {
  CHECK(counter("process_cpu_seconds_total", "C.", {}, Unit::kSeconds).type == Type::kCounter);
  CHECK(gauge("process_resident_memory_bytes", "M.", {}, Unit::kBytes).type == Type::kGauge);
  CHECK(gauge("pgconn_timeout_ratio", "R.", {}, Unit::kRatio).unit == Unit::kRatio);
  CHECK(histogram("pgconn_probe_duration_seconds", "P.").unit == Unit::kSeconds);
  CHECK(histogram("pgconn_batch_series", "B.", {}, Unit::kNone).type == Type::kHistogram);
  CHECK(info("pgconn_target_info", "T.", {"host"}).type == Type::kInfo);
}

TEST_CASE("a unit in the middle of a name is no unit") {
  CHECK(gauge("pgconn_seconds_behind", "B.").unit == Unit::kNone);
}

TEST_CASE("the base name is the name without the suffix of its type") {
  CHECK(base_name(counter("pgconn_x_total", "X.")) == "pgconn_x");
  CHECK(base_name(info("pgconn_x_info", "X.", {"a"})) == "pgconn_x");
  CHECK(base_name(gauge("pgconn_x", "X.")) == "pgconn_x");
}

TEST_CASE("descriptors share a family if type and labels are the same") {
  constexpr Descriptor x = gauge("pgconn_x", "X.", {"a", "b"});
  CHECK(same_shape(x, gauge("pgconn_x", "Told otherwise.", {"a", "b"})));
  CHECK_FALSE(same_shape(x, gauge("pgconn_x", "X.", {"b", "a"})));
  CHECK_FALSE(same_shape(x, gauge("pgconn_x", "X.", {"a"})));
  CHECK_FALSE(same_shape(x, histogram("pgconn_x", "X.", {"a", "b"}, Unit::kNone)));
}

TEST_CASE("names that users choose are open-ended, PostgreSQL's own words are not") {
  CHECK(is_open_ended("database"));
  CHECK(is_open_ended("application"));
  CHECK_FALSE(is_open_ended("state"));
  CHECK_FALSE(is_open_ended("data"));
}

}  // namespace
}  // namespace pgconn::metrics
