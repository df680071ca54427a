// All probes of one target: starts their coroutines, watches what they hold, and ends them. I/O
// thread only.
#pragma once

#include <asio/cancellation_signal.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/time_source.h"
#include "metrics/batch.h"
#include "metrics/instruments.h"
#include "postgres/dialer.h"
#include "probes/certificate.h"
#include "probes/clockwork.h"
#include "probes/drops/drop_ledger.h"
#include "probes/held_sessions.h"
#include "probes/idle.h"
#include "probes/longquery.h"
#include "probes/probe.h"
#include "probes/recorder.h"

namespace pgconn::probes {

struct ProbeSettings {
  Pace connect{true, std::chrono::seconds(15), std::chrono::seconds(5)};
  Pace roundtrip{true, std::chrono::seconds(5), std::chrono::seconds(2)};
  IdleSettings idle;
  LongquerySettings longquery;
  CertificateSettings certificate;
  // Upper bounds of pgconn_probe_duration_seconds, in seconds.
  std::vector<double> buckets = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
                                 0.1,    0.2,    0.5,   1,     2,     5,    10};
};

// Called with what probes do and find, for the log.
struct ProbeListeners {
  std::function<void(const Incident&)> concluded;  // of every incident, once
  std::function<void(const Incident&)> over;       // of each one that went on after that, once
  Recorder::Listener ran;
  std::function<void(const CertificateNews&)> certificates;
  // One of our coroutines ended by an exception that it should have handled: which, and its
  // message.
  std::function<void(std::string_view what, std::string_view error)> failed;
};

class Prober {
 public:
  // All, `sources` too, must outlive the prober and the coroutines it started, which end soon after
  // stop(). Probes and drops open their sessions through `connector`; `dialer` is for handshakes,
  // which are not sessions.
  Prober(std::string target, postgres::Connector& connector, postgres::Dialer& dialer,
         async::TimeSource& time, metrics::Instruments& instruments, CertificateRoots& roots,
         ProbeSettings settings, ProbeListeners listeners,
         std::vector<EvidenceSource*> sources = {});
  ~Prober();

  void start();
  // Ends every probe and closes what it holds; no loss is reported for that.
  void stop();
  // After stop(): every coroutine has ended.
  bool at_rest() const { return running_.empty(); }

  // The server as a scrape saw it.
  void learn(const ServerMarks& marks, int server_version) { ledger_.learn(marks, server_version); }

  // The silence the network path allows, as the idle probe has measured it.
  std::optional<std::chrono::milliseconds> path_idle_limit() const {
    return idle_ ? idle_->path_limit() : std::nullopt;
  }
  // Everything that is not in the instruments.
  void add_gauges(metrics::MetricBatch& batch) const;
  const std::deque<Incident>& incidents() const { return ledger_.incidents(); }
  const Recorder& recorder() const { return recorder_; }
  const CertificateProbe& certificates() const { return certificate_; }
  const IdleLadder* ladder() const { return idle_ ? &idle_->ladder() : nullptr; }  // null: off

 private:
  struct Entry;  // of the table of probes
  std::vector<Entry> table();
  void foresee(metrics::Instruments& instruments);
  // `what` must live as long as the program.
  void spawn(std::string_view what, std::function<asio::awaitable<void>()> make);
  void get_acquainted();
  void lost(Drop drop);
  asio::awaitable<void> investigate(std::uint64_t incident);

  async::TimeSource& time_;
  ProbeSettings settings_;
  Recorder recorder_;
  HeldSessions held_;
  DropLedger ledger_;
  ProbeContext context_;
  std::unique_ptr<IdleProbe> idle_;
  CertificateProbe certificate_;
  std::function<void(std::string_view, std::string_view)> failed_;
  std::list<asio::cancellation_signal> running_;
  bool stopped_ = false;
};

}  // namespace pgconn::probes
