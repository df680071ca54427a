#include "sources/host/host_ledger.h"

#include <limits>
#include <utility>

namespace pgconn::host {
namespace {

metrics::HistogramValue without_observations() {
  metrics::HistogramValue value;
  for (const double bound : kRoundTripBounds) value.buckets.push_back({bound, 0});
  value.buckets.push_back({std::numeric_limits<double>::infinity(), 0});
  return value;
}

// A socket's count starts again when the process reuses the socket for another connection.
std::uint32_t gained(std::uint32_t before, std::uint32_t now) {
  return now >= before ? now - before : now;
}

}  // namespace

void HostLedger::take(const HostReading& reading) {
  if (reading.sockets) take(*reading.sockets);
  if (reading.kernel_log) take(*reading.kernel_log);
}

void HostLedger::take(const ServerSockets& sockets) {
  if (!counts_.retransmits) counts_.retransmits = 0;
  if (!counts_.round_trips) counts_.round_trips = without_observations();
  std::unordered_map<std::uint64_t, Seen> now;
  for (const TcpSocket& socket : sockets.sockets) {
    if (!socket.info || socket.state == kTcpListen) continue;
    const TcpInfo& info = *socket.info;
    const auto before = seen_.find(socket.cookie);
    const bool is_known = before != seen_.end();
    if (is_known) {
      *counts_.retransmits += gained(before->second.retransmits, info.total_retransmits);
    } else if (list_was_complete_) {
      *counts_.retransmits += info.total_retransmits;
    }
    const bool is_silent = is_known && info.acknowledged_bytes &&
                           info.acknowledged_bytes == before->second.acknowledged;
    if (socket.state == kTcpEstablished && info.smoothed_round_trip_us > 0 && !is_silent) {
      observe(static_cast<double>(info.smoothed_round_trip_us) / 1e6);
    }
    now.insert_or_assign(socket.cookie, Seen{info.total_retransmits, info.acknowledged_bytes});
  }
  list_was_complete_ = sockets.complete;
  // A socket that is missing from an incomplete list may still exist, and must not count as new
  // later.
  if (!sockets.complete && seen_.size() < kMostRemembered) now.merge(seen_);
  seen_ = std::move(now);
}

void HostLedger::take(const KernelLogLook& log) {
  if (!counts_.postgres_kills) counts_.postgres_kills = 0;
  for (const OomKill& kill : log.kills) {
    const bool is_new = log_read_up_to_ && kill.sequence >= *log_read_up_to_;
    if (is_new && is_of_postgres(kill)) ++*counts_.postgres_kills;
  }
  log_read_up_to_ = log.next_sequence;
}

void HostLedger::observe(double seconds) {
  for (auto& bucket : counts_.round_trips->buckets) {
    if (seconds <= bucket.upper_bound) ++bucket.cumulative;
  }
  counts_.round_trips->sum += seconds;
}

}  // namespace pgconn::host
