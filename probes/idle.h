// The idle probe: canary connections that stay silent, keepalives off, to learn how long a silence
// the network path allows. I/O thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <vector>

#include "async/event.h"
#include "metrics/instruments.h"
#include "probes/clockwork.h"
#include "probes/drops/attribution.h"
#include "probes/ladder.h"

namespace pgconn::probes {

struct IdleSettings {
  bool on = true;
  std::vector<std::chrono::milliseconds> ladder = {
      std::chrono::seconds(30),  std::chrono::minutes(1),  std::chrono::minutes(2),
      std::chrono::seconds(350), std::chrono::minutes(10), std::chrono::minutes(15),
      std::chrono::minutes(30),  std::chrono::hours(1)};
  int canaries = 2;                         // connections
  std::chrono::milliseconds timeout{5000};  // of connecting, and of the answer after the silence
};

class IdleProbe {
 public:
  // `context` and `instruments` must outlive the probe.
  IdleProbe(ProbeContext& context, metrics::Instruments& instruments, IdleSettings settings);

  // One canary; runs until its coroutine is cancelled.
  asio::awaitable<void> run_canary();

  // A canary was lost; decided() will follow with the cause.
  void lost() { ++undecided_; }
  // The final cause of a canary's loss: the ladder learns it if the path did it.
  void decided(const Drop& drop, Cause cause);

  // The longest silence that the path allowed, once it has been seen to forget a longer one.
  std::optional<std::chrono::milliseconds> path_limit() const;
  const IdleLadder& ladder() const { return ladder_; }
  // The bracket of the path's idle limit.
  void add_gauges(metrics::MetricBatch& batch) const;

 private:
  using Silence = IdleLadder::Silence;
  asio::awaitable<void> try_silence(class HeldSession& session, Silence silence);
  asio::awaitable<void> until_decided();
  void count(Silence silence, const char* result);

  ProbeContext& context_;
  metrics::Instruments& instruments_;
  IdleSettings settings_;
  IdleLadder ladder_;
  std::vector<Silence> under_way_;
  int canaries_started_ = 0;
  int undecided_ = 0;  // losses whose cause is not known yet
  async::Event all_decided_;
};

}  // namespace pgconn::probes
