#include "sources/host/host_metrics.h"

#include <algorithm>
#include <map>
#include <string>

#include "tests/support/catch.h"

using namespace pgconn;
using namespace pgconn::host;

namespace {

// Values by name and label values: "name{a,b}".
std::map<std::string, double> told(const HostReading& reading, const HostCounts& counts = {}) {
  metrics::MetricBatch batch;
  add_host_metrics(reading, counts, batch);
  std::map<std::string, double> values;
  for (const metrics::Family& family : batch.families()) {
    for (const metrics::Sample& sample : family.samples) {
      std::string key(family.descriptor->name);
      for (const std::string& label : sample.labels) key += "," + label;
      values[key] = sample.value;
    }
  }
  return values;
}

bool tells(const std::map<std::string, double>& values, const std::string& start) {
  return std::any_of(values.begin(), values.end(),
                     [&](const auto& value) { return value.first.starts_with(start); });
}

}  // namespace

TEST_CASE("what could not be read has no samples, only its part's 0") {
  HostReading reading;
  for (const Part part : kParts) reading.unread.push_back({part, "no right to"});
  const auto values = told(reading);
  CHECK(values.size() == std::size(kParts));
  CHECK(values.at("pgconn_host_readable,sockets") == 0);
  CHECK(values.at("pgconn_host_readable,kernel_log") == 0);
}

TEST_CASE("every state of a complete list is told, also one without sockets") {
  HostReading reading;
  reading.sockets = ServerSockets{{TcpSocket{.state = kTcpEstablished}}, true};
  const auto values = told(reading);
  CHECK(values.at("pgconn_host_tcp_connections,established") == 1);
  CHECK(values.at("pgconn_host_tcp_connections,close_wait") == 0);
  CHECK_FALSE(tells(values, "pgconn_host_tcp_connections,other"));
  CHECK_FALSE(tells(values, "pgconn_host_tcp_accept_queue"));
  CHECK(values.at("pgconn_host_readable,sockets") == 1);
}

TEST_CASE("an incomplete list tells no counts") {
  HostReading reading;
  reading.sockets = ServerSockets{{TcpSocket{.state = kTcpEstablished}}, false};
  reading.unread.push_back({Part::kSockets, "too many"});
  HostCounts counts;
  counts.retransmits = 3;
  const auto values = told(reading, counts);
  CHECK_FALSE(tells(values, "pgconn_host_tcp_connections"));
  CHECK(values.at("pgconn_host_tcp_retransmits_total") == 3);
}

TEST_CASE("memory, kills, scores and settings are told as they were read") {
  HostReading reading;
  reading.memory.total = 1000;
  reading.memory.swap_total = 0;
  reading.cgroup.limit = 500;
  reading.host_oom_kills = 4;
  reading.cgroup.oom_kills = 2;
  reading.oom_scores = {.postmaster = -900, .lowest_child = 0, .highest_child = 200};
  reading.kernel_settings = {{"net.ipv4.tcp_keepalive_time", 7200}, {"vm.overcommit_memory", 2}};
  const auto values = told(reading);
  CHECK(values.at("pgconn_host_memory_bytes,total") == 1000);
  CHECK(values.at("pgconn_host_memory_bytes,swap_total") == 0);
  CHECK(values.at("pgconn_host_memory_bytes,cgroup_limit") == 500);
  CHECK_FALSE(tells(values, "pgconn_host_memory_bytes,available"));
  CHECK(values.at("pgconn_host_oom_kills_total,host") == 4);
  CHECK(values.at("pgconn_host_oom_kills_total,cgroup") == 2);
  CHECK(values.at("pgconn_host_postmaster_oom_score_adj") == -900);
  CHECK(values.at("pgconn_host_children_oom_score_adj,highest") == 200);
  CHECK(values.at("pgconn_host_tcp_keepalive_seconds,idle") == 7200);
  CHECK_FALSE(tells(values, "pgconn_host_tcp_keepalive_seconds,interval"));
  CHECK(values.at("pgconn_host_kernel_setting,vm.overcommit_memory") == 2);
}

TEST_CASE("every family that is told is listed") {
  HostReading reading;
  reading.sockets = ServerSockets{{TcpSocket{.state = kTcpListen}}, true};
  HostCounts counts;
  counts.retransmits = 0;
  metrics::MetricBatch batch;
  add_host_metrics(reading, counts, batch);
  const auto listed = host_descriptors();
  for (const metrics::Family& family : batch.families()) {
    CAPTURE(family.descriptor->name);
    CHECK(std::find(listed.begin(), listed.end(), family.descriptor) != listed.end());
  }
}
