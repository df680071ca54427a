#include "sources/host/host_metrics.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace pgconn::host {
namespace {

using metrics::Unit;

constexpr auto kReadable = metrics::gauge(
    "pgconn_host_readable", "1 if that part of the server's host can be read whole, 0 if not.",
    {"part"}, Unit::kNone, metrics::Fold::kMin);
constexpr auto kConnections =
    metrics::gauge("pgconn_host_tcp_connections",
                   "TCP sockets of the server's port on its host, by state.", {"state"});
constexpr auto kTimers = metrics::gauge("pgconn_host_tcp_timers",
                                        "Established connections of the server's port by the "
                                        "kernel timer that runs on them; none means "
                                        "that nothing would notice a dead peer.",
                                        {"timer"});
constexpr auto kUnanswered = metrics::gauge("pgconn_host_tcp_unanswered_connections",
                                            "Established connections whose last keepalive probe or "
                                            "retransmission the peer left unanswered.");
constexpr auto kUnacked = metrics::gauge(
    "pgconn_host_tcp_unacked_bytes",
    "Bytes that the server's host has sent and the peers have not acknowledged.", {}, Unit::kBytes);
constexpr auto kUnsent = metrics::gauge(
    "pgconn_host_tcp_unsent_bytes",
    "Bytes that the server has written and its host has not sent yet.", {}, Unit::kBytes);
constexpr auto kUnread = metrics::gauge(
    "pgconn_host_tcp_unread_bytes", "Bytes that have arrived and that the server has not read yet.",
    {}, Unit::kBytes);
constexpr auto kAcceptQueue = metrics::gauge(
    "pgconn_host_tcp_accept_queue",
    "Connections that wait for the postmaster to accept them, on its fullest listening socket.", {},
    Unit::kNone, metrics::Fold::kMax);
constexpr auto kAcceptQueueLimit = metrics::gauge(
    "pgconn_host_tcp_accept_queue_limit",
    "How many connections may wait on that listening socket; what comes beyond them is dropped.",
    {}, Unit::kNone, metrics::Fold::kMin);
constexpr auto kListenOverflows = metrics::counter(
    "pgconn_host_tcp_listen_overflows_total",
    "Connections that found an accept queue full, on any port of the server's network namespace.");
constexpr auto kRetransmits = metrics::counter(
    "pgconn_host_tcp_retransmits_total",
    "Segments that the server's host sent again, as far as looks at the sockets saw them.");
constexpr auto kRoundTrips =
    metrics::histogram("pgconn_host_tcp_round_trip_seconds",
                       "Smoothed round trip of connections on which something was acknowledged "
                       "since the look before.");
constexpr auto kOomKills = metrics::counter("pgconn_host_oom_kills_total",
                                            "Processes killed for want of memory: on the whole "
                                            "host since its boot, and of those the ones in "
                                            "the server's cgroup.",
                                            {"scope"});
constexpr auto kPostgresKills = metrics::counter(
    "pgconn_host_oom_killed_postgres_total",
    "Processes of PostgreSQL killed for want of memory, as the kernel's log told since the start.");
constexpr auto kPostmasterScore = metrics::gauge(
    "pgconn_host_postmaster_oom_score_adj",
    "oom_score_adj of the postmaster; the kernel kills the highest first, and -1000 never.", {},
    Unit::kNone, metrics::Fold::kMax);
constexpr auto kChildrenScore =
    metrics::gauge("pgconn_host_children_oom_score_adj",
                   "Lowest and highest oom_score_adj of the postmaster's children.", {"bound"});
constexpr auto kKeepalive =
    metrics::gauge("pgconn_host_tcp_keepalive_seconds",
                   "The kernel's own keepalive times, used where the server's setting is 0.",
                   {"setting"}, Unit::kSeconds);
constexpr auto kKernelSetting =
    metrics::gauge("pgconn_host_kernel_setting", "A setting of the host's kernel.", {"name"});
constexpr auto kMemory = metrics::gauge(
    "pgconn_host_memory_bytes",
    "Memory of the host, and of the server's cgroup (its limit is the lowest that holds).",
    {"kind"}, Unit::kBytes);

constexpr const metrics::Descriptor* kDescriptors[] = {
    &kReadable,         &kConnections,     &kTimers,          &kUnanswered,
    &kUnacked,          &kUnsent,          &kUnread,          &kAcceptQueue,
    &kAcceptQueueLimit, &kListenOverflows, &kRetransmits,     &kRoundTrips,
    &kOomKills,         &kPostgresKills,   &kPostmasterScore, &kChildrenScore,
    &kKeepalive,        &kKernelSetting,   &kMemory};

template <typename Number>
void add(metrics::MetricBatch& batch, const metrics::Descriptor& descriptor,
         std::optional<Number> value, std::vector<std::string> labels = {}) {
  if (value) batch.add(descriptor, static_cast<double>(*value), std::move(labels));
}

void add_sockets(const SocketTotals& totals, metrics::MetricBatch& batch) {
  for (int state = 1; state <= kTcpStates; ++state) {
    batch.add(kConnections, static_cast<double>(totals.by_state[static_cast<std::size_t>(state)]),
              {std::string(tcp_state_name(state))});
  }
  // A state that a future kernel may have.
  if (totals.by_state[0] > 0) {
    batch.add(kConnections, static_cast<double>(totals.by_state[0]), {"other"});
  }
  batch.add(kTimers, static_cast<double>(totals.with_retransmit), {"retransmit"});
  batch.add(kTimers, static_cast<double>(totals.with_keepalive), {"keepalive"});
  batch.add(kTimers, static_cast<double>(totals.with_zero_window), {"zero_window"});
  batch.add(kTimers, static_cast<double>(totals.with_no_timer), {"none"});
  batch.add(kUnanswered, static_cast<double>(totals.unanswered));
  batch.add(kUnacked, static_cast<double>(totals.unacknowledged_bytes));
  batch.add(kUnsent, static_cast<double>(totals.unsent_bytes));
  batch.add(kUnread, static_cast<double>(totals.unread_bytes));
  if (totals.accept_queue) {
    batch.add(kAcceptQueue, static_cast<double>(totals.accept_queue->waiting));
    batch.add(kAcceptQueueLimit, static_cast<double>(totals.accept_queue->limit));
  }
}

void add_memory(const HostReading& reading, metrics::MetricBatch& batch) {
  const HostMemory& host = reading.memory;
  add(batch, kMemory, host.total, {"total"});
  add(batch, kMemory, host.available, {"available"});
  add(batch, kMemory, host.swap_total, {"swap_total"});
  add(batch, kMemory, host.swap_free, {"swap_free"});
  add(batch, kMemory, host.commit_limit, {"commit_limit"});
  add(batch, kMemory, host.committed, {"committed"});
  add(batch, kMemory, reading.cgroup.limit, {"cgroup_limit"});
  add(batch, kMemory, reading.cgroup.used, {"cgroup_used"});
  add(batch, kOomKills, reading.host_oom_kills, {"host"});
  add(batch, kOomKills, reading.cgroup.oom_kills, {"cgroup"});
}

void add_settings(const std::vector<KernelSetting>& settings, metrics::MetricBatch& batch) {
  add(batch, kKeepalive, value_of(settings, "net.ipv4.tcp_keepalive_time"), {"idle"});
  add(batch, kKeepalive, value_of(settings, "net.ipv4.tcp_keepalive_intvl"), {"interval"});
  for (const KernelSetting& setting : settings) {
    batch.add(kKernelSetting, static_cast<double>(setting.value), {std::string(setting.name)});
  }
}

bool is_read(const HostReading& reading, Part part) {
  return std::none_of(reading.unread.begin(), reading.unread.end(),
                      [part](const Unread& unread) { return unread.part == part; });
}

}  // namespace

void add_host_metrics(const HostReading& reading, const HostCounts& counts,
                      metrics::MetricBatch& batch) {
  for (const Part part : kParts) {
    batch.add(kReadable, is_read(reading, part) ? 1 : 0, {std::string(part_name(part))});
  }
  if (reading.sockets && reading.sockets->complete) {
    add_sockets(total(reading.sockets->sockets), batch);
  }
  add(batch, kListenOverflows, reading.listen_overflows);
  add(batch, kRetransmits, counts.retransmits);
  if (counts.round_trips) batch.add(kRoundTrips, *counts.round_trips);
  add(batch, kPostgresKills, counts.postgres_kills);
  add_memory(reading, batch);
  add(batch, kPostmasterScore, reading.oom_scores.postmaster);
  add(batch, kChildrenScore, reading.oom_scores.lowest_child, {"lowest"});
  add(batch, kChildrenScore, reading.oom_scores.highest_child, {"highest"});
  add_settings(reading.kernel_settings, batch);
}

std::span<const metrics::Descriptor* const> host_descriptors() { return kDescriptors; }

}  // namespace pgconn::host
