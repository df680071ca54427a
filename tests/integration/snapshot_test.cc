// What is known of a target without asking it, while real probes and scrapes go on.
#include "exporter/targets/snapshot.h"

#include <future>

#include "config/loader.h"
#include "exporter/targets/fleet.h"
#include "tests/integration/servers.h"
#include "tests/integration/stranger.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using exporter::TargetSnapshot;
using probes::ProbeKind;

// A fleet of one target, whose probes run until the scene is over.
class Scene {
 public:
  explicit Scene(const std::string& dsn) : fleet_(client.io.get_executor()) {
    const std::string yaml =
        "probes: {duration_buckets: [1], connect: {interval: 1s, timeout: 900ms},\n"
        "         roundtrip: {interval: 1s, timeout: 900ms}, idle: {ladder: [1h], canaries: 1}}\n"
        "targets: [{name: one, dsn: \"" +
        dsn + "\"}]\n";
    fleet_.apply(config::load_text(yaml, "test", {}));
  }
  ~Scene() {
    fleet_.stop();
    client.io.restart();
    client.io.run();  // until every coroutine has ended
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  void scrape() {
    exporter::ScrapeRequest request;
    request.patience.began = std::chrono::steady_clock::now();
    run(client.io, fleet_.scrape(request));
  }
  TargetSnapshot snapshot() { return run(client.io, fleet_.snapshots()).at(0); }
  TargetSnapshot eventually(const std::string& what,
                            const std::function<bool(const TargetSnapshot&)>& condition) {
    TargetSnapshot latest;
    client.eventually(what, [&] { return condition(latest = snapshot()); });
    return latest;
  }

  Client client;

 private:
  exporter::Fleet fleet_;
};

TEST_CASE("a snapshot has what scrapes and probes have learned of a target") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Scene scene(server.dsn);
      const TargetSnapshot first = scene.snapshot();
      CHECK(first.name == "one");
      CHECK(first.kind == &collectors::postgres_kind());
      CHECK(first.address == "127.0.0.1:" + server.port);
      CHECK(first.database == "postgres");
      CHECK_FALSE(first.last_scrape);
      CHECK_FALSE(first.facts);

      scene.scrape();
      const auto ran = [](const TargetSnapshot& now) {
        const auto succeeded = [&](ProbeKind probe) {
          return now.probes.contains(probe) && now.probes.at(probe).success;
        };
        return succeeded(ProbeKind::kConnect) && succeeded(ProbeKind::kRoundtrip) &&
               succeeded(ProbeKind::kCertificate);
      };
      const TargetSnapshot now = scene.eventually("the probes have run", ran);
      REQUIRE(now.last_scrape);
      CHECK(now.last_scrape->up);
      CHECK(now.last_scrape->at <= std::chrono::system_clock::now());
      CHECK(now.trouble.error.empty());
      REQUIRE(now.facts);
      CHECK(now.facts->version.starts_with(std::to_string(server.version)));
      CHECK(now.reports.size() == collectors::postgres_kind().collectors.size());
      CHECK_FALSE(now.findings.empty());
      CHECK(now.probes.at(ProbeKind::kConnect).seconds.contains("startup"));
      REQUIRE(now.certificates.size() == 1);
      CHECK_FALSE(now.certificates[0].facts.certificates.empty());
      CHECK(now.tls.offered == true);
      REQUIRE(now.idle);
      CHECK_FALSE(now.idle->shortest_dropped);
      CHECK(now.incidents.empty());
    }
  }
}

TEST_CASE("a snapshot has the incidents so far, and stays as it was on another thread") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Scene scene(server.dsn);
      const TargetSnapshot before = scene.eventually("it is held", [](const TargetSnapshot& now) {
        return now.probes.contains(ProbeKind::kRoundtrip);
      });
      Admin(server).run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
          "WHERE application_name = 'pgconn_exporter/roundtrip'");
      TargetSnapshot after =
          scene.eventually("the incident is decided", [](const TargetSnapshot& now) {
            return !now.incidents.empty() && now.incidents.back()->decided;
          });
      CHECK(before.incidents.empty());
      CHECK(after.incidents.back()->verdict.cause == probes::Cause::kAdminTerminate);
      CHECK(after.incidents.back()->drops.at(0).error.sqlstate() == "57P01");
      const auto elsewhere = std::async(std::launch::async, [copy = std::move(after)] {
        return copy.incidents.back()->verdict.because;
      });
      CHECK(elsewhere.wait_for(30s) == std::future_status::ready);
    }
  }
}

TEST_CASE("a snapshot of a target that is down says why, and what to do, of scrapes and probes") {
  Scene scene("host=127.0.0.1 user=m dbname=d sslmode=disable port=" +
              std::to_string(Stranger::unused_port()));
  scene.scrape();
  const TargetSnapshot now = scene.eventually("the probe has run", [](const TargetSnapshot& one) {
    return one.probes.contains(ProbeKind::kConnect);
  });
  REQUIRE(now.last_scrape);
  CHECK_FALSE(now.last_scrape->up);
  CHECK(now.trouble.error.find("refused") != std::string::npos);
  CHECK_FALSE(now.trouble.advice.empty());
  CHECK_FALSE(now.probes.at(ProbeKind::kConnect).success);
  CHECK(now.probes.at(ProbeKind::kConnect).trouble.error == now.trouble.error);
}

}  // namespace
}  // namespace pgconn::test
