#include <filesystem>
#include <string>

#include "config/schema.h"
#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

TEST_CASE("every example file loads") {
  int examples = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(PGCONN_SOURCE_DIR "/config/examples")) {
    const std::string name = entry.path().filename().string();
    INFO(name);
    if (name == "web.yml") continue;  // of the other format: web_config_test.cc
    CHECK(refusal(read_source("config/examples/" + name), name) == "accepted");
    ++examples;
  }
  CHECK(examples >= 3);
}

TEST_CASE("full.yml gives every key its default") {
  const ValidatedConfig full = load(read_source("config/examples/full.yml"));
  CHECK(full->global == Global{});
  CHECK(full->collectors.sessions == SessionsCollector{});
  CHECK(full->collectors.settings == SettingsCollector{});
  CHECK(full->probes == Probes{});
  CHECK(full->files.empty());
  CHECK(full->collectors.enabled.size() == test_vocabulary().collectors.size());
  for (const auto& [name, enabled] : full->collectors.enabled) CHECK(enabled);

  Config without_file = *from_environment();
  without_file.targets.at(0).collectors = full->collectors;
  CHECK(full->targets == without_file.targets);
}

template <typename Fields>
void check_mentions(const std::string& yaml, const Fields& fields) {
  for (const auto& field : fields) {
    INFO(field.key);
    CHECK(yaml.find(" " + field.key + ": ") != std::string::npos);
  }
}

TEST_CASE("full.yml mentions every key of the schema") {
  const std::string yaml = read_source("config/examples/full.yml");
  check_mentions(yaml, global_fields());
  check_mentions(yaml, target_fields());
  for (const std::string_view collector : configurable_collectors()) {
    check_mentions(yaml, collector_fields(collector));
  }
  check_mentions(yaml, connect_fields());
  check_mentions(yaml, roundtrip_fields());
  check_mentions(yaml, idle_fields());
  check_mentions(yaml, longquery_fields());
  check_mentions(yaml, certificate_fields());
  check_mentions(yaml, file_entry_fields());
  check_mentions(yaml, auth_module_fields());
  check_mentions(yaml, target_files_fields());
}

TEST_CASE("multi-target.yml shows what targets inherit and what they override") {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  const ValidatedConfig config = load(read_source("config/examples/multi-target.yml"));
  REQUIRE(config->targets.size() == 3);
  const Target& primary = config->targets[0];
  CHECK(primary.global == config->global);
  CHECK(primary.collectors == config->collectors);
  CHECK(primary.probes == config->probes);
  CHECK(primary.files == std::vector<WatchedFile>{{"client", "/etc/pgconn_exporter/client.crt"},
                                                  {"crl", "/etc/ssl/orders.crl"}});
  CHECK(primary.path_idle_limit == seconds(350));
  CHECK(primary.labels ==
        std::map<std::string, std::string>{{"cluster", "orders"}, {"env", "prod"}});

  const Target& standby = config->targets[1];
  CHECK(standby.password_env == "PGCONN_PASSWORD");
  CHECK(standby.files == config->files);
  CHECK(standby.collectors.enabled ==
        std::map<std::string, bool>{{"session_ends", false}, {"sessions", true}});

  const Target& reports = config->targets[2];
  CHECK(reports.global.connect_timeout == seconds(15));
  CHECK(reports.global.scrape_timeout == seconds(20));
  CHECK(reports.global.max_series_per_metric == 100);
  CHECK(reports.collectors.sessions.by_client == 20);
  CHECK(reports.collectors.sessions.ages ==
        std::vector<Duration>{minutes(1), minutes(10), hours(1), hours(6)});
  CHECK_FALSE(reports.probes.connect.enabled);
  CHECK(reports.probes.roundtrip == Probe{true, seconds(30), seconds(2)});
  CHECK(reports.probes.idle == config->probes.idle);
}

}  // namespace
}  // namespace pgconn::config
