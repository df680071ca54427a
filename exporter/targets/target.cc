#include "exporter/targets/target.h"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <map>

#include "collectors/postgres/builtin.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/targets/certificate_log.h"
#include "exporter/targets/target_settings.h"
#include "metrics/cap.h"
#include "probes/probe_metrics.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

// What a scrape must have left to begin another collection after one that ended without an answer.
constexpr std::chrono::milliseconds kWorthAnother(250);

std::size_t max_series(const config::Target& config) {
  return static_cast<std::size_t>(config.global.max_series_per_metric);
}

// The reports of collectors that got no answer at all.
std::vector<CollectorReport> unreached(const std::set<std::string>& collectors) {
  std::vector<CollectorReport> reports;
  for (const std::string& name : collectors) {
    reports.push_back({.name = name});
  }
  return reports;
}

}  // namespace

struct Target::Run {
  Run(asio::any_io_executor executor, std::set<std::string> names, postgres::Deadline until)
      : collectors(std::move(names)), deadline(until), done(executor, Clock::time_point::max()) {}

  // Whether a scrape of these collectors that has until then may take the result. One that was cut
  // short says nothing to who has time to wait for more.
  bool answers(const std::set<std::string>& wanted, postgres::Deadline until) const {
    return result && collectors == wanted && (!cut_short || until <= deadline + kWorthAnother);
  }

  std::set<std::string> collectors;
  postgres::Deadline deadline;
  bool cut_short = false;   // by the deadline
  asio::steady_timer done;  // never expires; cancelled when the result is there
  Collected collected;
  std::shared_ptr<const TargetResult> result;
};

Target::Target(asio::any_io_executor executor, postgres::Resolver& resolver,
               probes::CertificateRoots& roots, config::Target config)
    : executor_(std::move(executor)),
      config_(std::move(config)),
      options_(options_of(config_)),
      enabled_(enabled_collectors(config_.collectors)),
      log_(config_.name),
      instruments_(max_series(config_)),
      time_(executor_),
      dialer_(
          executor_, resolver, [this] { return conninfo_of(config_); },
          config_.global.max_connections_per_target),
      session_(dialer_, config_, options_, instruments_, log_),
      prober_(config_.name, dialer_, dialer_, time_, instruments_, roots, probe_settings(config_),
              {.concluded = TargetLog::lost,
               .over = TargetLog::went_on,
               .ran = [this](auto probe, auto* error) { log_.probed(probe, error); },
               .certificates = [this](const auto& news) { log_certificates(name(), news); },
               .failed = [this](auto what, auto error) { note_internal_error(what, error); }}) {
  labels_.emplace_back("target", config_.name);
  labels_.insert(labels_.end(), config_.labels.begin(), config_.labels.end());
  state_.name = config_.name;
  try {
    conninfo_ = postgres::ConnInfo::parse(config_.dsn);
    state_.address = conninfo_->display();
    log_.set_address(state_.address);
    state_.database = conninfo_->database();
    options_.password_exposed = (conninfo_->has_password() || !config_.password_file.empty() ||
                                 !config_.password_env.empty()) &&
                                conninfo_->trusts_whoever_answers();
  } catch (const PgError& error) {
    state_.error = error.what();  // met by every scrape: the environment may be mended meanwhile
  }
  for (const char* kind : {"clean", "crash"}) {
    instruments_.count(families::kServerRestarts, {kind}, 0);
  }
  instruments_.count(families::kServerMoves, {}, 0);
  instruments_.count(families::kRepairedValues, {}, 0);
  instruments_.count(families::kInternalErrors, {}, 0);
}

Target::~Target() { stop(); }

void Target::start() {
  if (options_.password_exposed) log_.password_exposed();
  prober_.start();
}

void Target::stop() {
  prober_.stop();
  session_.stop();
}

TargetState Target::state() const { return state_; }

asio::awaitable<std::shared_ptr<const TargetResult>> Target::collect(
    std::set<std::string> collectors, Patience patience) {
  try {
    auto result = co_await collect_or_join(collectors, patience);
    co_return result;
  } catch (const std::exception& error) {
    note_internal_error("collection", error.what());
  }
  co_return down();
}

void Target::note_internal_error(std::string_view what, std::string_view error) {
  instruments_.count(families::kInternalErrors);
  log_.internal_error(what, error);
}

// Made of nothing that could fail again.
std::shared_ptr<const TargetResult> Target::down() {
  auto result = std::make_shared<TargetResult>();
  result->labels = labels_;
  result->batch.add(families::kUp, 0);
  result->batch.append(instruments_.collect());
  return result;
}

asio::awaitable<std::shared_ptr<const TargetResult>> Target::collect_or_join(
    const std::set<std::string>& collectors, Patience patience) {
  const postgres::Deadline deadline = patience.deadline(config_.global);
  while (running_) {
    const std::shared_ptr<Run> joined = running_;
    asio::steady_timer alarm(executor_, deadline);
    alarm.async_wait([joined](asio::error_code error) {
      if (!error) joined->done.cancel();  // wakes every joiner; those with time left wait again
    });
    asio::error_code ignored;
    co_await joined->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (joined->answers(collectors, deadline)) co_return joined->result;
    if (Clock::now() >= deadline) co_return so_far(*joined, collectors);
  }
  const auto own = std::make_shared<Run>(executor_, collectors, deadline);
  running_ = own;
  try {
    co_await carry_out(*own);
  } catch (...) {  // whatever it was, the next scrape must not wait for this one
    running_.reset();
    own->done.cancel();
    throw;
  }
  running_.reset();
  own->done.cancel();
  co_return own->result;
}

std::shared_ptr<const TargetResult> Target::so_far(Run& run,
                                                   const std::set<std::string>& collectors) {
  Collected& collected = run.collected;
  session_.take_arrived(collected);
  const bool up = collected.facts.has_value();
  if (!up || collectors != run.collectors) return result_of({}, unreached(collectors), up);
  metrics::MetricBatch batch;
  const auto reports = run_collectors(collected.plan, options_, collected.readings, batch);
  return result_of(std::move(batch), reports, up);
}

asio::awaitable<void> Target::carry_out(Run& run) {
  const auto& collectors = run.collectors;
  const Clock::time_point begin = Clock::now();
  Collected& collected = run.collected;
  try {
    co_await session_.collect(collectors, run.deadline, collected);
  } catch (const PgError& error) {
    collected.error = error;
  } catch (const std::exception& error) {
    collected.error = PgError(Phase::kQuery, Reason::kProtocol, "", error.what(), false);
  }
  // Ended by ourselves: that says nothing about the server.
  if (collected.error && collected.error->reason() == Reason::kStopped) co_return;
  run.cut_short = collected.error && Clock::now() >= run.deadline;
  note_outcome(collected, begin);
  metrics::MetricBatch batch;
  const collectors::Options options = with_measured(options_, prober_.path_idle_limit());
  const auto reports = collected.facts
                           ? run_collectors(collected.plan, options, collected.readings, batch)
                           : unreached(collectors);
  log_.reports(reports, state_.facts ? state_.facts->role : "");
  if (collectors == enabled_) {
    state_.reports = reports;
    note_findings(reports);
  }
  run.result = result_of(std::move(batch), reports, collected.facts.has_value());
}

void Target::note_outcome(const Collected& collected, Clock::time_point begin) {
  if (collected.error) {
    note_failure(*collected.error);
  } else {
    log_.collected();
    state_.error.clear();
    state_.advice.clear();
  }
  if (collected.facts) note_facts(*collected.facts, collected.readings.server_version, begin);
  state_.up = collected.facts.has_value();
  state_.scraped = true;
  state_.last_scrape = std::chrono::system_clock::now();
  state_.last_duration = Clock::now() - begin;
}

// For people: the metric has room for their names alone.
void Target::note_findings(const std::vector<CollectorReport>& reports) {
  state_.findings.clear();
  for (const CollectorReport& report : reports) {
    state_.findings.insert(state_.findings.end(), report.findings.begin(), report.findings.end());
  }
}

void Target::note_failure(const PgError& error) {
  state_.error = error.what();
  state_.advice = postgres::advice(error);
  log_.not_collected(error);
}

void Target::note_facts(const collectors::ServerFacts& facts, int server_version,
                        Clock::time_point asked) {
  if (state_.facts) note_change(*state_.facts, facts);
  prober_.learn({.start_time = facts.start_time,
                 .crash_restart_time = facts.crash_restart_time,
                 .server_clock = std::nullopt,
                 .read_at = std::nullopt},
                server_version);
  state_.facts = state_.facts ? collectors::completed(facts, *state_.facts) : facts;
  facts_asked_ = asked;
}

void Target::note_change(const collectors::ServerFacts& before,
                         const collectors::ServerFacts& now) {
  using collectors::Change;
  const Seconds unheard = Clock::now() - facts_asked_;
  const Change change = collectors::change_between(before, now, unheard.count());
  if (change == Change::kNone) return;
  if (change == Change::kMove) {
    instruments_.count(families::kServerMoves);
    log_.moved(before.address, now.address);
    return;
  }
  const std::string kind = change == Change::kCrash ? "crash" : "clean";
  instruments_.count(families::kServerRestarts, {kind});
  log_.restarted(kind);
}

std::shared_ptr<const TargetResult> Target::result_of(metrics::MetricBatch collected,
                                                      const std::vector<CollectorReport>& reports,
                                                      bool up) {
  auto result = std::make_shared<TargetResult>();
  result->labels = labels_;
  result->batch = std::move(collected);
  metrics::MetricBatch& batch = result->batch;
  batch.unify();
  batch.add(families::kUp, up ? 1 : 0);
  add_target_info(batch);
  add_reports(reports, batch);
  for (const auto& [purpose, open] : dialer_.open()) {
    batch.add(families::kConnections, open, {purpose});
  }
  batch.add(families::kConnectionsMax, config_.global.max_connections_per_target);
  if (config_.path_idle_limit) {
    batch.add(probes::families::kPathLimit, Seconds(*config_.path_idle_limit).count(),
              {"configured"});
  }
  // Made unique too: a chain may hold a certificate twice, a file two of the same serial number,
  // and Prometheus refuses the whole scrape for one series that comes twice.
  metrics::MetricBatch probed;
  prober_.add_gauges(probed);
  probed.unify();
  batch.append(std::move(probed));
  instruments_.count(families::kRepairedValues, {}, static_cast<double>(batch.repaired_values()));
  // After all gauges are there. Counters are bounded as they grow, see Instruments: a sum over a
  // set that changes from scrape to scrape would be no counter.
  for (const metrics::Capped& capped : metrics::cap(batch, max_series(config_))) {
    batch.add(families::kCappedSeries, static_cast<double>(capped.series),
              {std::string(capped.descriptor->name)});
  }
  batch.append(instruments_.collect());
  return result;
}

void Target::add_target_info(metrics::MetricBatch& batch) const {
  if (!conninfo_) return;
  const postgres::Endpoint& first = conninfo_->endpoints().front();
  const auto& facts = state_.facts;
  const bool open = session_.is_open();
  const std::string& first_host = first.host.empty() ? first.hostaddr : first.host;
  const std::string role = !facts ? "" : (facts->in_recovery ? "standby" : "primary");
  batch.add(families::kTargetInfo, 1,
            {open ? session_.host() : first_host, open ? session_.port() : first.port,
             conninfo_->database(), "postgres", facts ? facts->version : "", role});
}

}  // namespace pgconn::exporter
