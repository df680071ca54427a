#include "exporter/targets/target.h"

#include <algorithm>
#include <map>

#include "async/event.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/sources/sql_log_source.h"
#include "exporter/sources/stream_log_source.h"
#include "exporter/targets/certificate_log.h"
#include "exporter/targets/target_counters.h"
#include "exporter/targets/target_settings.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using postgres::PgError;
using postgres::Reason;

// The time that a scrape must have left to begin another collection after one without an answer.
constexpr std::chrono::milliseconds kWorthAnother(250);
// Between looks while nothing is wrong; an incident triggers one at once.
constexpr std::chrono::seconds kLogInterval(1);
constexpr std::chrono::seconds kHostInterval(5);
// Of a scrape's time, for the metrics of the log: else they are those of the scrape before.
constexpr std::chrono::milliseconds kLogMayTake(250);

std::shared_ptr<LogSource> make_log_source(const Commons& commons, async::TimeSource& time,
                                           postgres::Connector& connector,
                                           const config::Target& config) {
  switch (config.server_log.from) {
    case config::LogOrigin::kNowhere:
      return nullptr;
    case config::LogOrigin::kSql:
      return std::make_shared<SqlLogSource>(commons.background, time, connector, config.name,
                                            config);
    case config::LogOrigin::kStdin:
    case config::LogOrigin::kJournal:
      return std::make_shared<StreamLogSource>(commons.background, time, config.name,
                                               config.server_log);
    case config::LogOrigin::kFiles:
      break;
  }
  return std::make_shared<LogSource>(commons.background, time, config.name, config.server_log);
}

std::shared_ptr<HostSource> make_host_source(const Commons& commons, async::TimeSource& time,
                                             const config::Target& config) {
  if (!config.host) return nullptr;
  return std::make_shared<HostSource>(commons.background, time, commons.host_paths);
}

}  // namespace

struct Target::Run {
  Run(async::TimeSource& time, std::set<std::string> names, postgres::Deadline until)
      : collectors(std::move(names)), deadline(until), done(time) {}

  // Whether a scrape of these collectors with that deadline may use the result. A result that was
  // cut short is of no use to a scrape that can wait for more.
  bool answers(const std::set<std::string>& wanted, postgres::Deadline until) const {
    return result && collectors == wanted && (!cut_short || until <= deadline + kWorthAnother);
  }

  std::set<std::string> collectors;
  postgres::Deadline deadline;
  bool cut_short = false;  // by the deadline
  async::Event done;       // the result is there, or there will be none
  Collected collected;
  std::shared_ptr<const TargetResult> result;
};

Target::Target(const Commons& commons, config::Target config)
    : executor_(commons.executor),
      config_(std::move(config)),
      kind_(kind_of(config_)),
      known_{.name = config_.name, .kind = &kind_},
      // Every scrape reports what is wrong with it: the environment may be fixed meanwhile.
      conninfo_(place_of(config_, known_.trouble.error)),
      options_(options_of(config_, conninfo_)),
      enabled_(enabled_collectors(kind_, config_.collectors)),
      log_(config_.name),
      instruments_(static_cast<std::size_t>(config_.global.max_series_per_metric)),
      time_(executor_),
      dialer_(
          executor_, commons.resolver,
          [this, &passwords = commons.passwords](postgres::Deadline deadline) {
            return passwords.conninfo_of(config_, deadline);
          },
          config_.global.max_connections_per_target,
          [this, &passwords = commons.passwords] { passwords.refused(config_); }),
      server_log_(make_log_source(commons, time_, dialer_, config_)),
      host_(make_host_source(commons, time_, config_)),
      session_(dialer_, time_, {kind_, options_, config_.global}, session_listeners()),
      prober_(config_.name, dialer_, dialer_, time_, instruments_, commons.roots,
              probe_settings(config_), probe_listeners(), witnesses()) {
  if (conninfo_) {
    known_.address = conninfo_->display();
    known_.database = conninfo_->database();
    log_.set_address(known_.address);
  }
  foresee_target(instruments_);
}

Target::~Target() { stop(); }

void Target::start() {
  if (options_.password_exposed) log_.password_exposed();
  if (server_log_) server_log_->start(kLogInterval);
  if (host_) host_->start(kHostInterval);
  prober_.start();
}

void Target::stop() {
  prober_.stop();
  session_.stop();
  for (const auto& source : sources()) source->stop();
}

bool Target::at_rest() const {
  const auto rests = [](const auto& source) { return source->at_rest(); };
  return prober_.at_rest() && !running_ && std::ranges::all_of(sources(), rests);
}

TargetSnapshot Target::snapshot() {
  TargetSnapshot snapshot = known_;
  add_probes(prober_, snapshot);
  for (const auto& [probe, trouble] : probe_troubles_) snapshot.probes[probe].trouble = trouble;
  snapshot.incidents = incidents_.of(prober_.incidents());
  return snapshot;
}

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

// Uses nothing that could fail again.
std::shared_ptr<const TargetResult> Target::down() {
  auto result = std::make_shared<TargetResult>();
  result->labels = labels_of(config_);
  result->batch.add(families::kUp, 0);
  result->batch.append(instruments_.collect());
  return result;
}

asio::awaitable<std::shared_ptr<const TargetResult>> Target::collect_or_join(
    const std::set<std::string>& collectors, Patience patience) {
  const postgres::Deadline deadline = patience.deadline(config_.global);
  while (running_) {
    const std::shared_ptr<Run> joined = running_;
    co_await joined->done.wait_until(deadline);
    if (joined->answers(collectors, deadline)) co_return joined->result;
    if (Clock::now() >= deadline) co_return so_far(*joined, collectors);
  }
  const auto own = std::make_shared<Run>(time_, collectors, deadline);
  running_ = own;
  try {
    co_await carry_out(*own);
  } catch (...) {  // whatever it was, the next scrape must not wait for this one
    running_.reset();
    own->done.notify();
    throw;
  }
  running_.reset();
  own->done.notify();
  co_return own->result;
}

std::shared_ptr<const TargetResult> Target::so_far(Run& run,
                                                   const std::set<std::string>& collectors) {
  Collected& collected = run.collected;
  session_.take_arrived(collected);
  metrics::MetricBatch batch;
  // Nothing is known about other collectors.
  const Collected nothing;
  const bool same = collectors == run.collectors;
  const auto reports = run_collectors(same ? collected : nothing, collectors, options_, batch);
  return result_of(std::move(batch), reports, collected.facts.has_value());
}

asio::awaitable<void> Target::carry_out(Run& run) {
  const auto& collectors = run.collectors;
  const Clock::time_point begin = Clock::now();
  Collected& collected = run.collected;
  const std::shared_ptr<Source> log = server_log_;  // makes its metrics current meanwhile
  const std::uint64_t ticket = log ? log->want_metrics() : 0;
  co_await session_.collect(collectors, run.deadline, collected);
  // We ended it, which says nothing about the server.
  if (collected.error && collected.error->reason() == Reason::kStopped) co_return;
  run.cut_short = collected.error && Clock::now() >= run.deadline;
  note_outcome(collected, begin);
  if (log) co_await log->wait_for(ticket, std::min(run.deadline, begin + kLogMayTake));
  metrics::MetricBatch batch;
  const collectors::Options options = with_measured(options_, prober_.path_idle_limit());
  const auto reports = run_collectors(collected, collectors, options, batch);
  log_.reports(reports, known_.facts ? known_.facts->role : "");
  if (collectors == enabled_) {
    known_.reports = reports;
    known_.findings = findings_of(reports);
  }
  run.result = result_of(std::move(batch), reports, collected.facts.has_value());
}

void Target::note_outcome(const Collected& collected, Clock::time_point begin) {
  if (collected.error) {
    known_.trouble = Trouble::of(*collected.error);
    log_.not_collected(*collected.error);
  } else {
    known_.trouble = {};
    log_.collected();
  }
  if (collected.facts) note_facts(collected, begin);
  known_.last_scrape = LastScrape{std::chrono::system_clock::now(), Clock::now() - begin,
                                  collected.facts.has_value()};
}

void Target::note_facts(const Collected& collected, Clock::time_point asked) {
  const collectors::ServerFacts& facts = *collected.facts;
  auto& known = known_.facts;
  if (known) note_change(*known, facts);
  if (facts.start_time != 0) {
    prober_.learn({.start_time = facts.start_time,
                   .crash_restart_time = facts.crash_restart_time,
                   .server_clock = std::nullopt,
                   .read_at = std::nullopt},
                  collected.readings.server_version);
  }
  if (host_) {
    if (const auto claims = session_.claims(facts)) host_->learn(*claims);
  }
  known = known ? collectors::completed(facts, *known) : facts;
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

void Target::note_probe(probes::ProbeKind probe, const PgError* error) {
  probe_troubles_[probe] = error == nullptr ? Trouble() : Trouble::of(*error);
  log_.probed(probe, error);
}

std::shared_ptr<const TargetResult> Target::result_of(metrics::MetricBatch collected,
                                                      const std::vector<CollectorReport>& reports,
                                                      bool up) {
  Surroundings surroundings{config_, kind_, conninfo_, known_.facts};
  if (session_.is_open()) surroundings.server.emplace(session_.host(), session_.port());
  surroundings.connections = dialer_.open();
  prober_.add_gauges(surroundings.probed);
  TargetResult result = assemble(std::move(surroundings), std::move(collected), reports, up);
  const auto repaired = static_cast<double>(result.batch.repaired_values());
  instruments_.count(families::kRepairedValues, {}, repaired);
  result.batch.append(instruments_.collect());
  for (const auto& source : sources()) result.batch.append(source->metrics());
  return std::make_shared<const TargetResult>(std::move(result));
}

std::vector<std::shared_ptr<Source>> Target::sources() const {
  std::vector<std::shared_ptr<Source>> sources;
  if (server_log_) sources.push_back(server_log_);
  if (host_) sources.push_back(host_);
  return sources;
}

std::vector<probes::EvidenceSource*> Target::witnesses() const {
  std::vector<probes::EvidenceSource*> witnesses;
  for (const auto& source : sources()) witnesses.push_back(source.get());
  return witnesses;
}

SessionListeners Target::session_listeners() {
  return {.failed = [this](const auto& error) { count_failure(instruments_, error); },
          .lost = [this](const auto& error) { log_.session_lost(error); },
          .renewed = [this](const auto* error) { log_.session_renewed(error); },
          .logged_in = [this](const auto& warnings) { log_.warned_at_login(warnings); }};
}

probes::ProbeListeners Target::probe_listeners() {
  return {.concluded = TargetLog::lost,
          .over = TargetLog::went_on,
          .ran = [this](auto probe, const auto* error) { note_probe(probe, error); },
          .certificates = [this](const auto& news) { log_certificates(name(), news); },
          .failed = [this](auto what, auto error) { note_internal_error(what, error); }};
}

}  // namespace pgconn::exporter
