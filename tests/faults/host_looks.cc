// host_looks PORT BACKEND BACKEND_START POSTMASTER_START OWN_ADDRESS PEER_ADDRESS [PROCFS SYSFS
// ROOTFS]: looks at the host of the server that these claims are of, once for each line on standard
// input, and prints each look as one line of JSON: the metrics, what was not readable, and the
// evidence of OOM kills since the look before.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "metrics/exposition.h"
#include "sources/host/evidence.h"
#include "sources/host/host_metrics.h"
#include "sources/host/host_reader.h"

namespace pgconn::test {
namespace {

using nlohmann::json;

template <typename T>
json value_or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json evidence_of(const host::OomEvidence& evidence) {
  json kills = json::array();
  for (const host::OomKill& kill : evidence.of_postgres) {
    kills.push_back({{"pid", kill.pid},
                     {"task", kill.task},
                     {"by_cgroup", kill.scope == host::OomKill::Scope::kCgroup},
                     {"time", kill.unix_time}});
  }
  return {{"in_host", value_or_null(evidence.in_host)},
          {"in_cgroup", value_or_null(evidence.in_cgroup)},
          {"in_log", evidence.in_log},
          {"of_postgres", kills},
          {"server_was_oom_killed", value_or_null(host::server_was_oom_killed(evidence))}};
}

class Looks {
 public:
  Looks(host::ServerClaims server, host::HostPaths paths)
      : server_(server), reader_(std::move(paths)) {}

  json look() {
    const auto start = std::chrono::steady_clock::now();
    host::HostReading reading = reader_.read(server_, start + std::chrono::seconds(5));
    const auto took = std::chrono::steady_clock::now() - start;
    ledger_.take(reading);
    metrics::MetricBatch batch;
    add_host_metrics(reading, ledger_.counts(), batch);
    batch.unify();
    json unread = json::object();
    for (const host::Unread& part : reading.unread)
      unread[std::string(part_name(part.part))] = part.why;
    json told = {{"seconds", std::chrono::duration<double>(took).count()},
                 {"postmaster", reading.postmaster ? json(reading.postmaster->pid) : json(nullptr)},
                 {"unread", unread},
                 {"metrics", metrics::expose(std::vector{metrics::LabeledBatch{{}, &batch}},
                                             metrics::Format::kText)}};
    if (before_) told["evidence"] = evidence_of(oom_between(*before_, reading));
    before_ = std::move(reading);
    return told;
  }

 private:
  host::ServerClaims server_;
  host::HostReader reader_;
  host::HostLedger ledger_;
  std::optional<host::HostReading> before_;
};

int main_of(const std::vector<std::string>& words) {
  if (words.size() < 6) {
    std::fputs("see the head of host_looks.cc\n", stderr);
    return 2;
  }
  const host::ServerClaims server = {.port = static_cast<std::uint16_t>(std::stoi(words[0])),
                                     .backend_pid = std::stoi(words[1]),
                                     .backend_start = std::stod(words[2]),
                                     .postmaster_start = std::stod(words[3]),
                                     .peer_is_local = host::is_local_peer(words[4], words[5])};
  host::HostPaths paths;
  if (words.size() > 8) paths = {words[6], words[7], words[8]};
  Looks looks(server, paths);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << looks.look().dump() << '\n' << std::flush;
  }
  return 0;
}

}  // namespace
}  // namespace pgconn::test

int main(int argc, char** argv) {
  try {
    return pgconn::test::main_of({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
