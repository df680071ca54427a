#include "exporter/targets/assemble.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

constexpr auto kRole = metrics::gauge("pgconn_test_role", "Something of a role.", {"role"});
constexpr auto kCertificate =
    metrics::gauge("pgconn_test_certificate", "Of a certificate.", {"serial"});

// "name{value,value}" of each sample.
std::map<std::string, double> samples_of(const metrics::MetricBatch& batch) {
  std::map<std::string, double> samples;
  for (const metrics::Family& family : batch.families()) {
    for (const metrics::Sample& sample : family.samples) {
      std::string name(family.descriptor->name);
      for (const std::string& label : sample.labels) name += "," + label;
      REQUIRE(samples.emplace(name, sample.value).second);
    }
  }
  return samples;
}

struct Known {
  config::Target config;
  std::optional<postgres::ConnInfo> conninfo =
      postgres::ConnInfo::parse("host=db,other port=5433 dbname=shop user=m");
  std::optional<collectors::ServerFacts> facts;

  Surroundings surroundings() const {
    return {config, collectors::postgres_kind(), conninfo, facts};
  }
};

TEST_CASE("a target's labels are its name and what the configuration adds") {
  Known known;
  known.config.name = "orders";
  known.config.labels = {{"env", "prod"}};
  const TargetResult result = assemble(known.surroundings(), {}, {}, true);
  CHECK(result.labels ==
        std::vector<std::pair<std::string, std::string>>{{"target", "orders"}, {"env", "prod"}});
}

TEST_CASE("a server that did not answer is down, where the dsn leads first") {
  const auto samples = samples_of(assemble(Known().surroundings(), {}, {}, false).batch);
  CHECK(samples.at("pgconn_up") == 0);
  CHECK(samples.contains("pgconn_target_info,db,5433,shop,postgres,,"));
}

TEST_CASE("a server that answered is told by where it is, its version and its role") {
  Known known;
  known.facts.emplace();
  known.facts->version = "17.11";
  known.facts->in_recovery = true;
  Surroundings surroundings = known.surroundings();
  surroundings.server.emplace("other", "5433");
  surroundings.connections = {{"collect", 1}};
  const auto samples = samples_of(assemble(std::move(surroundings), {}, {}, true).batch);
  CHECK(samples.at("pgconn_up") == 1);
  CHECK(samples.contains("pgconn_target_info,other,5433,shop,postgres,17.11,standby"));
  CHECK(samples.at("pgconn_exporter_connections,collect") == 1);
}

TEST_CASE("nothing is said of where a target is whose dsn is of no use") {
  Known known;
  known.conninfo.reset();
  const auto samples = samples_of(assemble(known.surroundings(), {}, {}, false).batch);
  CHECK(std::ranges::none_of(
      samples, [](const auto& sample) { return sample.first.starts_with("pgconn_target_info"); }));
}

TEST_CASE("series that come twice, of collectors or of probes, are made one") {
  metrics::MetricBatch collected;
  collected.add(kRole, 1, {"app"});
  collected.add(kRole, 2, {"app"});
  Known known;
  Surroundings surroundings = known.surroundings();
  surroundings.probed.add(kCertificate, 1, {"0A"});
  surroundings.probed.add(kCertificate, 1, {"0A"});
  const auto samples =
      samples_of(assemble(std::move(surroundings), std::move(collected), {}, true).batch);
  CHECK(samples.at("pgconn_test_role,app") == 3);
  CHECK(samples.contains("pgconn_test_certificate,0A"));
}

TEST_CASE("a family that is too large is bounded, and that is told") {
  metrics::MetricBatch collected;
  for (int i = 0; i < 20; ++i) collected.add(kRole, i, {"role" + std::to_string(i)});
  Known known;
  known.config.global.max_series_per_metric = 10;
  const auto samples =
      samples_of(assemble(known.surroundings(), std::move(collected), {}, true).batch);
  CHECK(samples.at("pgconn_test_role,other") == 45);  // 0 + 1 + … + 9
  CHECK(samples.at("pgconn_exporter_capped_series,pgconn_test_role") == 10);
}

}  // namespace
}  // namespace pgconn::exporter
