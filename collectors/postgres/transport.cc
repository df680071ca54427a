#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/postgres/activity.h"
#include "collectors/postgres/builtin.h"
#include "collectors/postgres/readings.h"

namespace pgconn::collectors {
namespace {

constexpr auto kSessions = metrics::gauge(
    "pgconn_transport_sessions",
    "Client sessions by transport (unix, plain, tls, gss) and origin; `local` is the socket or the "
    "loopback interface.",
    {"transport", "origin"});
constexpr auto kTls =
    metrics::gauge("pgconn_tls_sessions", "Client sessions over TLS, by what was negotiated.",
                   {"version", "cipher"});
constexpr auto kPlaintextRemote =
    metrics::gauge("pgconn_plaintext_remote_sessions",
                   "Client sessions from another host without encryption.", {"database", "user"});
constexpr auto kCertificates =
    metrics::gauge("pgconn_tls_client_certificate_sessions",
                   "Client sessions over TLS that showed a client certificate.");

constexpr const metrics::Descriptor* kDescriptors[] = {&kSessions, &kTls, &kPlaintextRemote,
                                                       &kCertificates};

constexpr CollectorInfo kInfo{.name = "transport",
                              .help = "How client sessions are encrypted, and which are not.",
                              .need = Need::kSessions,
                              .descriptors = kDescriptors};

using Pair = std::pair<std::string_view, std::string_view>;
using Counts = std::map<Pair, std::int64_t>;

// Told even when they are 0.
constexpr Pair kTransports[] = {{"unix", "local"}, {"plain", "local"}, {"plain", "remote"},
                                {"tls", "local"},  {"tls", "remote"},  {"gss", "local"},
                                {"gss", "remote"}};

void add_counts(const metrics::Descriptor& descriptor, const Counts& counts,
                metrics::MetricBatch& batch) {
  for (const auto& [labels, count] : counts) {
    batch.add(descriptor, static_cast<double>(count),
              {std::string(labels.first), std::string(labels.second)});
  }
}

class TransportCollector final : public Collector {
 public:
  const CollectorInfo& info() const override { return kInfo; }

  std::vector<const Reading*> readings(const Options& options) const override {
    return {&activity_reading(options)};
  }

  CollectorOutput collect(const Readings& readings, const CollectContext& context) const override {
    CollectorOutput output;
    metrics::MetricBatch& batch = output.batch;
    Counts transports;
    Counts tls;
    Counts plaintext_remote;
    std::int64_t certificates = 0;
    for (const Pair& transport : kTransports) transports[transport];
    for (const SessionGroup& group : activity_of(readings, context.options)) {
      if (!group.is_counted()) continue;
      transports[{group.transport, group.origin}] += group.sessions;
      certificates += group.certificates;
      if (group.transport == "tls") tls[{group.tls_version, group.tls_cipher}] += group.sessions;
      if (group.transport == "plain" && group.origin == "remote") {
        plaintext_remote[{group.database, group.role}] += group.sessions;
      }
    }
    add_counts(kSessions, transports, batch);
    add_counts(kTls, tls, batch);
    add_counts(kPlaintextRemote, plaintext_remote, batch);
    batch.add(kCertificates, static_cast<double>(certificates));
    return output;
  }
};

}  // namespace

const Collector& transport_collector() {
  static const TransportCollector collector;
  return collector;
}

}  // namespace pgconn::collectors
