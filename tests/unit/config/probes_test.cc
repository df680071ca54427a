// The section `probes`, of the file and of its targets.
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/config/vocabulary.h"

namespace pgconn::config {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string needs(int connections) {
  return "needs " + std::to_string(connections) + " connections";
}

TEST_CASE("a target changes of the file's probes what it names, also when they come later") {
  const ValidatedConfig config = load(
      "targets: [{name: a, probes: {connect: {timeout: 1s}, duration_buckets: [0.5, 1]}},"
      " {name: b}]\n"
      "probes: {connect: {interval: 1m}, idle: {canaries: 1, ladder: [1m, 2m]}}\n");
  Probes file;
  file.connect.interval = minutes(1);
  file.idle.canaries = 1;
  file.idle.ladder = {minutes(1), minutes(2)};
  CHECK(config->probes == file);
  CHECK(config->targets.at(1).probes == file);

  Probes own = file;
  own.connect.timeout = seconds(1);
  own.duration_buckets = {0.5, 1};
  CHECK(config->targets.at(0).probes == own);
}

TEST_CASE("a mapping switches a probe on unless it says enabled: false") {
  const ValidatedConfig config = load(
      "probes:\n"
      "  connect: false\n"
      "  roundtrip: true\n"
      "  idle: {enabled: false, canaries: 1}\n"
      "targets: [{name: a, probes: {connect: {}, roundtrip: {enabled: false}, idle: true}}]\n");
  CHECK_FALSE(config->probes.connect.enabled);
  CHECK(config->probes.roundtrip.enabled);
  CHECK_FALSE(config->probes.idle.enabled);
  const Probes& own = config->targets.at(0).probes;
  CHECK(own.connect == Probes{}.connect);
  CHECK_FALSE(own.roundtrip.enabled);
  CHECK(own.idle.enabled);
  CHECK(own.idle.canaries == 1);
}

TEST_CASE("values of probes at both ends of their ranges are allowed") {
  const ValidatedConfig config = load(
      "global: {max_connections_per_target: 206}\n"
      "probes:\n"
      "  connect: {interval: 1d, timeout: 5m}\n"
      "  roundtrip: {interval: 100ms, timeout: 10ms}\n"
      "  idle: {ladder: [100ms, 7d], canaries: 200, timeout: 10ms}\n"
      "  longquery: {interval: 1d, sleep: 1s, timeout: 5m}\n"
      "  certificate: {interval: 1d, timeout: 10ms, roots: /r, direct_tls: true}\n"
      "  duration_buckets: [0.0000001, 0.25, 300.0]\n"
      "targets: [{name: a}]\n");
  const Probes& probes = config->probes;
  CHECK(probes.connect == Probe{true, days(1), minutes(5)});
  CHECK(probes.roundtrip == Probe{true, milliseconds(100), milliseconds(10)});
  CHECK(probes.idle == IdleProbe{true, {milliseconds(100), days(7)}, 200, milliseconds(10)});
  CHECK(probes.longquery == LongqueryProbe{true, days(1), seconds(1), minutes(5)});
  CHECK(probes.certificate == CertificateProbe{true, days(1), milliseconds(10), "/r", true});
  CHECK(probes.duration_buckets == std::vector<double>{1e-7, 0.25, 300});
}

TEST_CASE("a timeout is compared with the interval that counts, whoever gives it") {
  CHECK(refusal("probes: {roundtrip: {interval: 1s}}\n"
                "targets: [{name: a, probes: {roundtrip: {timeout: 500ms}}}]\n") ==
        "test.yml:1: probes.roundtrip.interval: timeout (2s) is not below interval (1s); allowed: "
        "a timeout below the interval");
  CHECK(refusal("probes: {roundtrip: {interval: 1m}}\n"
                "targets: [{name: a, probes: {roundtrip: {timeout: 59s}}}]\n") == "accepted");
}

TEST_CASE("a long query must end before the next one, whoever gives its times") {
  CHECK(refusal("probes: {idle: false, longquery: {sleep: 1h}}\ntargets: [{name: a}]\n")
            .starts_with("test.yml:1: probes.longquery.sleep: sleep (1h) and timeout (5s) leave "
                         "nothing of interval (15m)"));
  CHECK(refusal("probes: {idle: false, longquery: {interval: 2h}}\n"
                "targets: [{name: a, probes: {longquery: {sleep: 1h}}}]\n") == "accepted");
}

TEST_CASE("the default probes need just the default connections") {
  CHECK(refusal("global: {max_connections_per_target: 7}\ntargets: [{name: a}]\n") == "accepted");
  CHECK(refusal("global: {max_connections_per_target: 6}\ntargets: [{name: a}]\n").find(needs(7)) !=
        std::string::npos);
}

TEST_CASE("a probe that is off needs no connections") {
  const auto with = [](const std::string& probes, int connections) {
    return refusal("targets: [{name: a, max_connections_per_target: " +
                   std::to_string(connections) + ", probes: {" + probes + "}}]\n");
  };
  CHECK(with("connect: false", 6) == "accepted");
  CHECK(with("roundtrip: false", 6) == "accepted");
  CHECK(with("certificate: false", 6) == "accepted");
  CHECK(with("longquery: {enabled: false, sleep: 1m}", 7) == "accepted");
  CHECK(with("longquery: {}", 7).find(needs(8)) != std::string::npos);
  CHECK(with("idle: {enabled: false, canaries: 20}", 5) == "accepted");
  CHECK(with("idle: {enabled: false, canaries: 20}", 4).find(needs(5)) != std::string::npos);
  CHECK(with("connect: false, roundtrip: false, idle: false, certificate: false", 2) == "accepted");
}

TEST_CASE("each target is checked with its own connections") {
  CHECK(refusal("global: {max_connections_per_target: 5}\n"
                "probes: {idle: {canaries: 3}}\n"
                "targets:\n"
                "  - {name: a, max_connections_per_target: 8}\n"
                "  - {name: b, probes: {idle: false}}\n") == "accepted");
  const std::string message = refusal(
      "global: {max_connections_per_target: 4}\n"
      "targets:\n"
      "  - {name: a, max_connections_per_target: 7}\n"
      "  - {name: b}\n");
  CHECK(message.starts_with("test.yml:4: targets[1]: target `b` needs 7 connections"));
}

}  // namespace
}  // namespace pgconn::config
