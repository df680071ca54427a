// The certificate probe: at each interval a TLS handshake without credentials, to see what the
// server presents, and a look at files. While a source cannot be read, what was last seen is
// reported. I/O thread only; reading files blocks it for as long as a local disk takes.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/instruments.h"
#include "postgres/conninfo.h"
#include "postgres/dialer.h"
#include "postgres/tls_handshake.h"
#include "probes/certificates/files.h"
#include "probes/certificates/metrics.h"
#include "probes/certificates/watch.h"
#include "probes/clockwork.h"

namespace pgconn::probes {

struct CertificatePath {
  std::string name;  // the label `source`
  std::string path;
};

struct CertificateSettings {
  // If off, there are no handshakes, but files are still looked at.
  Pace pace{true, std::chrono::minutes(5), std::chrono::seconds(5)};
  std::string dsn;    // where the server is; without the password, which a handshake does not need
  std::string roots;  // file of trusted roots; empty: the dsn's sslrootcert, else the system's
  bool direct_tls = false;
  std::vector<CertificatePath> files;
};

// The file of roots that this server is judged by: the configured one, else that of the connection
// string, else the system's.
std::string trusted_roots(const std::string& configured, const postgres::ConnInfo& conninfo);

class CertificateProbe {
 public:
  // All must outlive the probe. `dialer` gives the handshake its place in the budget and looks up
  // names. `told` is called with news.
  CertificateProbe(ProbeContext& context, postgres::Dialer& dialer,
                   metrics::Instruments& instruments, CertificateRoots& roots,
                   CertificateSettings settings, std::function<void(const CertificateNews&)> told);

  bool has_work() const { return settings_.pace.on || !settings_.files.empty(); }

  // Runs until its coroutine is cancelled.
  asio::awaitable<void> run();

  void add_gauges(metrics::MetricBatch& batch) const;
  // As last seen: the server's, then those of the files that have been looked at.
  std::vector<CertificateSource> sources() const;
  const TlsState& tls() const { return tls_; }

 private:
  asio::awaitable<std::vector<PhaseTime>> look_at_server(Clock::time_point deadline);
  asio::awaitable<std::vector<PhaseTime>> ask_server(bool& shown, Clock::time_point deadline);
  asio::awaitable<void> shake_hands(const postgres::ConnInfo& conninfo, Clock::time_point deadline);
  void judge_server(bool readable);
  void look_at_files();
  void take(CertificateWatch& watch, CertificateLook look);

  ProbeContext& context_;
  postgres::Dialer& dialer_;
  metrics::Instruments& instruments_;
  CertificateRoots& roots_;
  CertificateSettings settings_;
  std::function<void(const CertificateNews&)> told_;

  CertificateWatch server_;
  std::vector<CertificateWatch> files_;  // in the order of settings_.files
  TlsState tls_;
  // Needed to judge the server's certificates again: they expire even while it is down.
  postgres::TlsHandshake last_;
  std::string host_;
  std::string trusted_;  // path
};

}  // namespace pgconn::probes
