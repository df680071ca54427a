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

struct Prober::Entry {
  ProbeKind kind;
  bool on = false;
  bool foresees_failures = false;  // its failure counters exist at 0 from the start
  bool holds = false;              // connections, which may be lost
  int count = 1;                   // of coroutines
  std::function<asio::awaitable<void>()> run;
};

// All probes in one place; each is in the file of its name.
std::vector<Prober::Entry> Prober::table() {
  return {
      {.kind = ProbeKind::kConnect,
       .on = settings_.connect.on,
       .foresees_failures = true,
       .run =
           [this] {
             return run_on_grid(
                 context_, ProbeKind::kConnect, settings_.connect,
                 [this](auto deadline) { return attempt_connect(context_, deadline); });
           }},
      {.kind = ProbeKind::kRoundtrip,
       .on = settings_.roundtrip.on,
       .foresees_failures = true,
       .holds = true,
       .run = [this] { return run_roundtrip_probe(context_, settings_.roundtrip); }},
      {.kind = ProbeKind::kLongquery,
       .on = settings_.longquery.pace.on,
       .holds = true,
       .run =
           [this] {
             return run_on_grid(
                 context_, ProbeKind::kLongquery, settings_.longquery.pace,
                 [this](auto) { return attempt_longquery(context_, settings_.longquery); });
           }},
      {.kind = ProbeKind::kCertificate,
       .on = certificate_.has_work(),
       .run = [this] { return certificate_.run(); }},
      {.kind = ProbeKind::kIdle,
       .on = settings_.idle.on,
       .holds = true,
       .count = settings_.idle.canaries,
       .run = [this] { return idle_->run_canary(); }},
  };
}

Prober::Prober(std::string target, postgres::Connector& connector, postgres::Dialer& dialer,
               async::TimeSource& time, metrics::Instruments& instruments, CertificateRoots& roots,
               ProbeSettings settings, ProbeListeners listeners,
               std::vector<EvidenceSource*> sources)
    : time_(time),
      settings_(std::move(settings)),
      recorder_(instruments, settings_.buckets, std::move(listeners.ran)),
      held_(time),
      ledger_(target, connector, time, instruments, held_,
              {.decided =
                   [this](const Drop& drop, Cause cause) {
                     if (drop.probe == ProbeKind::kIdle && idle_) idle_->decided(drop, cause);
                   },
               .concluded = std::move(listeners.concluded),
               .over = std::move(listeners.over)},
              std::move(sources)),
      context_{std::move(target),
               connector,
               time,
               recorder_,
               held_,
               0,
               [this](Drop drop) { lost(std::move(drop)); }},
      certificate_(context_, dialer, instruments, roots, settings_.certificate,
                   std::move(listeners.certificates)),
      failed_(std::move(listeners.failed)) {
  foresee(instruments);
  if (settings_.idle.on) {
    idle_ = std::make_unique<IdleProbe>(context_, instruments, settings_.idle);
  }
}

Prober::~Prober() { stop(); }

void Prober::foresee(metrics::Instruments& instruments) {
  for (const Entry& probe : table()) {
    if (!probe.on) continue;
    if (probe.foresees_failures) foresee_failures(instruments, probe.kind);
    if (probe.holds) foresee_drops(instruments, probe.kind);
  }
}

void Prober::start() {
  bool holds = false;
  for (const Entry& probe : table()) {
    if (!probe.on) continue;
    holds = holds || probe.holds;
    for (int i = 0; i < probe.count; ++i) spawn(to_string(probe.kind), probe.run);
  }
  if (holds) get_acquainted();  // before anything is lost
}

void Prober::stop() {
  stopped_ = true;
  for (asio::cancellation_signal& signal : running_) {
    signal.emit(asio::cancellation_type::terminal);
  }
}

void Prober::spawn(std::string_view what, std::function<asio::awaitable<void>()> make) {
  if (stopped_) return;  // nothing would end it
  const auto own = running_.emplace(running_.end());
  Guard guard{.failed = [this, what](std::string_view error) { failed_(what, error); },
              .stopped = [this] { return stopped_; }};
  postgres::Backoff backoff(kFirstRestart, kLongestRestart);
  asio::co_spawn(time_.executor(), run_guarded(time_, std::move(make), std::move(guard), backoff),
                 asio::bind_cancellation_slot(own->slot(), [this, own](const std::exception_ptr&) {
                   running_.erase(own);  // ended by its cancellation, which is not reported
                 }));
}

void Prober::get_acquainted() {
  spawn("acquaintance", [this] { return ledger_.get_acquainted(); });
}

void Prober::lost(Drop drop) {
  if (stopped_) return;
  if (drop.probe == ProbeKind::kIdle && idle_) idle_->lost();
  const auto incident = ledger_.enter(std::move(drop));
  held_.changed().notify();
  if (!incident) return;
  spawn("investigation", [this, id = *incident] { return investigate(id); });
  spawn("counting", [this, id = *incident] { return ledger_.count_in_time(id); });
}

// Once, even if it fails: what was counted must not be counted again.
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
