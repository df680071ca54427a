#include "probes/prober.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>

#include "probes/connect.h"
#include "probes/foreseen.h"
#include "probes/guarded.h"
#include "probes/probe_metrics.h"
#include "probes/roundtrip.h"

namespace pgconn::probes {
namespace {

// Between the failure of one of our own coroutines and its next run.
constexpr std::chrono::seconds kFirstRestart(1);
constexpr std::chrono::minutes kLongestRestart(1);

}  // namespace

Prober::Prober(std::string target, postgres::Dialer& dialer, metrics::Instruments& instruments,
               CertificateRoots& roots, ProbeSettings settings, ProbeListeners listeners)
    : target_(std::move(target)),
      dialer_(dialer),
      settings_(std::move(settings)),
      recorder_(instruments, settings_.buckets, std::move(listeners.ran)),
      ledger_(target_, dialer, instruments, held_,
              {.decided =
                   [this](const Drop& drop, Cause cause) {
                     if (drop.probe == ProbeKind::kIdle && idle_) idle_->decided(drop, cause);
                   },
               .concluded = std::move(listeners.concluded),
               .over = std::move(listeners.over)}),
      context_{target_, dialer_, recorder_, held_, 0, [this](Drop drop) { lost(std::move(drop)); }},
      certificate_(context_, instruments, roots, settings_.certificate,
                   std::move(listeners.certificates)),
      failed_(std::move(listeners.failed)) {
  if (settings_.connect.on) foresee_failures(instruments, ProbeKind::kConnect);
  if (settings_.roundtrip.on) {
    foresee_failures(instruments, ProbeKind::kRoundtrip);
    foresee_drops(instruments, ProbeKind::kRoundtrip);
  }
  if (settings_.longquery.pace.on) foresee_drops(instruments, ProbeKind::kLongquery);
  if (settings_.idle.on) {
    foresee_drops(instruments, ProbeKind::kIdle);
    idle_ = std::make_unique<IdleProbe>(context_, instruments, settings_.idle);
  }
}

Prober::~Prober() { stop(); }

void Prober::start() {
  if (settings_.connect.on) {
    spawn("connect", [this] { return run_connect_probe(context_, settings_.connect); });
  }
  if (settings_.roundtrip.on) {
    spawn("roundtrip", [this] { return run_roundtrip_probe(context_, settings_.roundtrip); });
  }
  if (settings_.longquery.pace.on) {
    spawn("longquery", [this] { return run_longquery_probe(context_, settings_.longquery); });
  }
  const bool holds = settings_.roundtrip.on || settings_.idle.on || settings_.longquery.pace.on;
  if (holds) get_acquainted();  // before anything is lost
  if (certificate_.has_work()) spawn("certificate", [this] { return certificate_.run(); });
  for (int i = 0; idle_ && i < settings_.idle.canaries; ++i) {
    spawn("idle", [this] { return idle_->run_canary(); });
  }
}

void Prober::stop() {
  stopped_ = true;
  for (asio::cancellation_signal& signal : running_) {
    signal.emit(asio::cancellation_type::terminal);
  }
}

void Prober::spawn(std::string_view what, std::function<asio::awaitable<void>()> make) {
  if (stopped_) return;  // nobody would end it
  const auto own = running_.emplace(running_.end());
  Guard guard{.failed = [this, what](std::string_view error) { failed_(what, error); },
              .stopped = [this] { return stopped_; }};
  postgres::Backoff backoff(kFirstRestart, kLongestRestart);
  asio::co_spawn(dialer_.executor(),
                 run_guarded(dialer_.executor(), std::move(make), std::move(guard), backoff),
                 asio::bind_cancellation_slot(own->slot(), [this, own](const std::exception_ptr&) {
                   running_.erase(own);  // by its cancellation, of which there is nothing to tell
                 }));
}

void Prober::get_acquainted() {
  spawn("acquaintance", [this] { return ledger_.get_acquainted(); });
}

void Prober::lost(Drop drop) {
  if (stopped_) return;
  if (drop.probe == ProbeKind::kIdle && idle_) idle_->lost();
  const auto incident = ledger_.enter(std::move(drop));
  if (!incident) return;
  spawn("investigation", [this, id = *incident] { return investigate(id); });
}

// Once, whatever comes of it: what was counted is not counted again.
asio::awaitable<void> Prober::investigate(std::uint64_t incident) {
  std::optional<std::string> error;
  try {
    co_await ledger_.investigate(incident);
  } catch (const std::exception& thrown) {
    if (stopped_) throw;
    error = thrown.what();
  }
  if (error) {
    failed_("investigation", *error);
    ledger_.give_up(incident);
  }
  get_acquainted();  // at once, unless the server could not be reached
  co_await ledger_.see_out(incident);
}

void Prober::add_gauges(metrics::MetricBatch& batch) const {
  std::map<ProbeKind, int> open = held_.open();
  if (settings_.longquery.pace.on) open[ProbeKind::kLongquery] = context_.long_queries;
  for (const auto& [probe, count] : open) {
    batch.add(families::kHeld, count, {std::string(to_string(probe))});
  }
  recorder_.add_gauges(batch);
  ledger_.add_gauges(batch);
  if (idle_) idle_->add_gauges(batch);
  certificate_.add_gauges(batch);
}

}  // namespace pgconn::probes
