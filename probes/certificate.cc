#include "probes/certificate.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace pgconn::probes {
namespace {

using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

constexpr ProbeKind kProbe = ProbeKind::kCertificate;
// The first look does not wait for its place in the interval: whoever starts the exporter wants to
// see the result soon.
constexpr auto kSoon = std::chrono::seconds(15);
// On Debian and its derivatives, and on Red Hat.
constexpr const char* kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kOtherSystemRoots = "/etc/pki/tls/certs/ca-bundle.crt";

const char* system_roots() {
  return ::access(kSystemRoots, F_OK) == 0 || ::access(kOtherSystemRoots, F_OK) != 0
             ? kSystemRoots
             : kOtherSystemRoots;
}

// With some versions of libpq the connection string can ask for this.
postgres::TlsStart tls_start(const CertificateSettings& settings,
                             const postgres::ConnInfo& conninfo) {
  const bool direct = settings.direct_tls || conninfo.value("sslnegotiation") == "direct";
  return direct ? postgres::TlsStart::kDirect : postgres::TlsStart::kRequest;
}

bool was_reached(const PgError& error) {
  return error.phase() != Phase::kResolve && error.phase() != Phase::kTcp;
}

std::int64_t unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// A file that is still being written does not count as rotated: what could be read of it counts
// only if nothing is known yet.
CertificateLook look_at(const std::string& path, bool known) {
  CertificateFile file = read_certificate_file(path);
  CertificateLook look;
  look.readable = file.error.empty();
  look.wrong = std::move(file.error);
  if (look.readable || !known) {
    look.facts = file_facts(file.certificates);
    look.crls = std::move(file.crls);
  }
  return look;
}

}  // namespace

std::string trusted_roots(const std::string& configured, const postgres::ConnInfo& conninfo) {
  if (!configured.empty()) return configured;
  const std::string named = conninfo.value("sslrootcert");
  return named.empty() || named == "system" ? system_roots() : named;
}

CertificateProbe::CertificateProbe(ProbeContext& context, postgres::Dialer& dialer,
                                   metrics::Instruments& instruments, CertificateRoots& roots,
                                   CertificateSettings settings,
                                   std::function<void(const CertificateNews&)> told)
    : context_(context),
      dialer_(dialer),
      instruments_(instruments),
      roots_(roots),
      settings_(std::move(settings)),
      told_(std::move(told)),
      server_(std::string(kServerSource)) {
  for (const CertificatePath& file : settings_.files) files_.emplace_back(file.name);
}

asio::awaitable<void> CertificateProbe::run() {
  const Pace pace = settings_.pace;
  async::TimeSource& time = context_.time;
  const Clock::time_point now = time.now();
  const Clock::time_point start = now + splay(context_.target, kProbe, pace.interval);
  const auto soon = std::min<std::chrono::milliseconds>(pace.interval, kSoon);
  Clock::time_point due = now + splay(context_.target, kProbe, soon);
  if (pace.on) context_.recorder.expect(kProbe);
  const auto look = [this](Clock::time_point deadline) { return look_at_server(deadline); };
  for (;;) {
    co_await time.sleep_until(due);
    look_at_files();
    if (pace.on) co_await run_once(context_, kProbe, look, time.now() + pace.timeout);
    due = next_run(start, pace.interval, time.now());
  }
}

// What was last seen is judged again even if nothing could be seen this time.
asio::awaitable<std::vector<PhaseTime>> CertificateProbe::look_at_server(
    Clock::time_point deadline) {
  bool shown = false;
  std::optional<PgError> failure;
  std::vector<PhaseTime> phases;
  try {
    phases = co_await ask_server(shown, deadline);
  } catch (const PgError& error) {
    if (error.reason() == Reason::kStopped) throw;
    failure = error;
  }
  judge_server(shown);
  if (failure) throw *failure;
  co_return phases;
}

asio::awaitable<std::vector<PhaseTime>> CertificateProbe::ask_server(bool& shown,
                                                                     Clock::time_point deadline) {
  const postgres::ConnInfo conninfo = postgres::ConnInfo::parse(settings_.dsn);
  const bool wants_tls = conninfo.wants_tls() && !conninfo.endpoints().front().is_unix_socket();
  trusted_ = trusted_roots(settings_.roots, conninfo);
  std::vector<PhaseTime> phases;
  try {
    co_await shake_hands(conninfo, deadline);
    shown = true;
    tls_ = tls_state(last_);
    if (last_.failure) throw PgError(*last_.failure);
    phases = phases_of(last_.timings);
    phases.push_back({"total", last_.timings.total});
  } catch (const PgError& error) {
    const TlsState seen = tls_state(error);
    if (seen.offered) tls_ = seen;
    // Declining TLS is no fault if nobody asked for it.
    if (error.reason() != Reason::kTlsUnsupported || wants_tls) throw;
  }
  co_return phases;
}

// Shakes hands with the first endpoint that can be reached.
asio::awaitable<void> CertificateProbe::shake_hands(const postgres::ConnInfo& conninfo,
                                                    Clock::time_point deadline) {
  const auto place = dialer_.take_place(std::string(to_string(kProbe)));
  auto left = static_cast<Clock::rep>(conninfo.endpoints().size());
  for (const postgres::Endpoint& endpoint : conninfo.endpoints()) {
    const Clock::time_point now = context_.time.now();
    try {
      last_ = co_await postgres::tls_handshake(dialer_.executor(), dialer_.resolver(), endpoint,
                                               tls_start(settings_, conninfo),
                                               now + (deadline - now) / left);
      host_ = endpoint.host.empty() ? endpoint.hostaddr : endpoint.host;
      co_return;
    } catch (const PgError& error) {
      if (--left == 0 || was_reached(error) || error.reason() == Reason::kStopped) throw;
    }
  }
}

void CertificateProbe::judge_server(bool readable) {
  CertificateLook look;
  look.readable = readable;
  if (!last_.chain.empty()) {
    const CertificateRoots::Answer trusted = roots_.load(trusted_);
    look.facts = server_chain_facts(last_.chain, trusted.store.get(), host_, unix_now());
    // Without the system's roots nothing can be judged; configured roots that cannot be read are an
    // error.
    if (!trusted.store && look.facts.verification && trusted_ != system_roots()) {
      look.facts.verification->error = "trusted roots cannot be read";
    }
    look.wrong = wrong_with(look.facts, host_, trusted.store ? "" : trusted.error);
  }
  take(server_, std::move(look));
}

void CertificateProbe::look_at_files() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    take(files_[i], look_at(settings_.files[i].path, files_[i].has_seen()));
  }
}

void CertificateProbe::take(CertificateWatch& watch, CertificateLook look) {
  const std::vector<CertificateNews> all = watch.take(std::move(look));
  if (watch.has_seen()) instruments_.count(certificate_changes(), {watch.source().name}, 0);
  for (const CertificateNews& news : all) {
    if (news.what == CertificateNews::What::kRotated) {
      instruments_.count(certificate_changes(), {news.source});
    }
    told_(news);
  }
}

std::vector<CertificateSource> CertificateProbe::sources() const {
  std::vector<CertificateSource> sources;
  if (server_.has_looked()) sources.push_back(server_.source());
  for (const CertificateWatch& file : files_) {
    if (file.has_looked()) sources.push_back(file.source());
  }
  return sources;
}

void CertificateProbe::add_gauges(metrics::MetricBatch& batch) const {
  // A server that has always declined TLS has no certificates to read.
  const bool declined = tls_.offered == false;
  if (server_.has_looked() && (server_.has_seen() || !declined)) {
    add_certificates(server_.source(), batch);
  }
  for (const CertificateWatch& file : files_) {
    if (file.has_looked()) add_certificates(file.source(), batch);
  }
  add_tls(tls_, batch);
}

}  // namespace pgconn::probes
