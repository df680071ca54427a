#include "exporter/target.h"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <random>

#include "collectors/builtin.h"
#include "config/loader.h"
#include "exporter/exporter_metrics.h"
#include "exporter/log.h"
#include "metrics/cap.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using postgres::PgError;
using postgres::Phase;
using postgres::Reason;

// Scrapes come every few seconds at most; a server that is back must be seen by the next one.
constexpr auto kFirstWait = std::chrono::milliseconds(500);
constexpr auto kLongestWait = std::chrono::seconds(10);

double dice() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

std::set<std::string> enabled_collectors(const config::Collectors& config) {
  std::set<std::string> names;
  for (const collectors::Collector* collector : collectors::builtin()) {
    const std::string name(collector->info().name);
    const auto found = config.enabled.find(name);
    if (found == config.enabled.end() ? collector->info().on_by_default : found->second) {
      names.insert(name);
    }
  }
  return names;
}

collectors::Options options_of(const config::Target& config) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  collectors::Options options;
  options.ages.clear();
  for (const config::Duration age : config.collectors.sessions.ages) {
    options.ages.push_back(duration_cast<seconds>(age));
  }
  options.by_client = config.collectors.sessions.by_client;
  options.keepalive_budget = duration_cast<seconds>(config.collectors.settings.keepalive_budget);
  if (config.path_idle_limit) {
    options.path_idle_limit = duration_cast<seconds>(*config.path_idle_limit);
  }
  return options;
}

}  // namespace

struct Target::Run {
  explicit Run(asio::any_io_executor executor, std::set<std::string> names)
      : collectors(std::move(names)), done(executor, Clock::time_point::max()) {}
  std::set<std::string> collectors;
  asio::steady_timer done;  // never expires; cancelled when the result is there
  std::shared_ptr<const TargetResult> result;
};

struct Target::Collected {
  CollectedReadings readings;
  std::optional<collectors::ServerFacts> facts;
  std::optional<PgError> error;  // why the session did not answer everything
  CollectionPlan plan;
  std::vector<CollectorReport> reports;
  Clock::time_point begin = Clock::now();
};

Target::Target(asio::any_io_executor executor, postgres::Resolver& resolver, config::Target config)
    : executor_(std::move(executor)),
      resolver_(resolver),
      config_(std::move(config)),
      options_(options_of(config_)),
      enabled_(enabled_collectors(config_.collectors)),
      backoff_(kFirstWait, kLongestWait) {
  labels_.emplace_back("target", config_.name);
  labels_.insert(labels_.end(), config_.labels.begin(), config_.labels.end());
  state_.name = config_.name;
  try {
    conninfo_ = postgres::ConnInfo::parse(config_.dsn);
    state_.address = conninfo_->display();
    state_.database = conninfo_->database();
  } catch (const PgError& error) {
    last_error_ = error;  // told again by every scrape: the environment may be mended meanwhile
    state_.error = error.what();
  }
  for (const char* kind : {"clean", "crash"}) {
    instruments_.count(families::kServerRestarts, {kind}, 0);
  }
  instruments_.count(families::kRepairedValues, {}, 0);
}

Target::~Target() { stop(); }

void Target::stop() {
  stopping_ = true;
  if (session_) session_->close();
}

TargetState Target::state() const { return state_; }

asio::awaitable<std::shared_ptr<const TargetResult>> Target::collect(
    std::set<std::string> collectors, postgres::Deadline deadline) {
  const auto ceiling = Clock::now() + config_.global.scrape_timeout;
  deadline = std::min(deadline, ceiling);
  while (running_) {
    const std::shared_ptr<Run> run = running_;
    asio::steady_timer patience(executor_, deadline);
    patience.async_wait([run](asio::error_code error) {
      if (!error) run->done.cancel();  // wakes every joiner; those with time left wait again
    });
    asio::error_code ignored;
    co_await run->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (run->result && run->collectors == collectors) co_return run->result;
    if (Clock::now() >= deadline) {
      Collected late;
      late.error = PgError(Phase::kQuery, Reason::kTimeout, "",
                           "another scrape of this target was still running", false);
      co_return result_of(late, collectors);
    }
  }
  const auto own = std::make_shared<Run>(executor_, collectors);
  running_ = own;
  try {
    own->result = co_await run(collectors, deadline);
  } catch (...) {  // whatever it was, the next scrape must not wait for this one
    running_.reset();
    own->done.cancel();
    throw;
  }
  running_.reset();
  own->done.cancel();
  co_return own->result;
}

asio::awaitable<std::shared_ptr<const TargetResult>> Target::run(
    const std::set<std::string>& collectors, postgres::Deadline deadline) {
  Collected collected;
  try {
    co_await ask(collectors, deadline, collected);
  } catch (const PgError& error) {
    collected.error = error;
  } catch (const std::exception& error) {
    collected.error = PgError(Phase::kQuery, Reason::kProtocol, "", error.what(), false);
  }
  note_outcome(collected);
  auto result = result_of(collected, collectors);
  note_skips(collected.reports);
  if (collectors == enabled_) state_.reports = std::move(collected.reports);
  co_return result;
}

// A session that was held since the last scrape may have died meanwhile (a restart, a failover):
// that says nothing about the server now, so ask once more on a new one.
asio::awaitable<void> Target::ask(const std::set<std::string>& collectors,
                                  postgres::Deadline deadline, Collected& collected) {
  const bool held = session_ && session_->is_open();
  try {
    co_await ask_once(collectors, deadline, collected);
    co_return;
  } catch (const PgError& error) {
    if (!held || stopping_ || error.reason() == Reason::kTimeout) throw;
    count_error(error);
    log::write(log::Level::kInfo, "held session was lost, connecting again",
               {{"target", name()},
                {"reason", std::string(to_string(error.reason()))},
                {"sqlstate", error.sqlstate()},
                {"error", error.what()}});
  }
  const auto begin = collected.begin;
  collected = Collected{};
  collected.begin = begin;
  co_await ask_once(collectors, deadline, collected);
}

asio::awaitable<void> Target::ask_once(const std::set<std::string>& collectors,
                                       postgres::Deadline deadline, Collected& collected) {
  co_await ensure_session(deadline);
  collected.readings.server_version = session_->server_version();
  collected.plan = plan_collection(collectors, options_, session_->server_version());
  std::vector<postgres::Answer> answers;
  std::vector<Clock::time_point> arrivals;
  const Clock::time_point sent = Clock::now();
  std::optional<PgError> failure;
  try {
    co_await session_->pipeline(collected.plan.queries, deadline, answers, &arrivals);
  } catch (const PgError& error) {
    failure = error;
    session_.reset();
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const collectors::Reading* reading = collected.plan.readings[i];
    if (const auto* error = std::get_if<PgError>(&answers[i])) count_error(*error);
    collected.readings.readings.put(*reading, std::move(answers[i]));
    collected.readings.arrivals[reading] = arrivals[i] - sent;
  }
  collected.facts = collectors::facts(collected.readings.readings, options_);
  if (collected.facts) collected.readings.visibility = collected.facts->visibility;
  if (failure) throw *failure;
}

asio::awaitable<void> Target::ensure_session(postgres::Deadline deadline) {
  if (stopping_) throw PgError(Phase::kConfig, Reason::kStopped, "", "the exporter stops", true);
  if (session_ && session_->is_open()) co_return;
  session_.reset();
  if (!backoff_.may_try(Clock::now()) && last_error_) throw *last_error_;
  try {
    postgres::ConnInfo conninfo = postgres::ConnInfo::parse(config_.dsn);
    if (auto password = config::read_password(config_)) {
      conninfo.set_password(std::move(*password));
    }
    postgres::ConnectOptions options;
    options.purpose = "collect";
    options.statement_timeout = config_.global.statement_timeout;
    options.lock_timeout = config_.global.lock_timeout;
    options.outlive_idle_session_timeout = true;
    const auto until = std::min(deadline, Clock::now() + config_.global.connect_timeout);
    session_ =
        co_await postgres::Connection::connect(executor_, resolver_, conninfo, options, until);
    backoff_.succeeded();
    if (stopping_) session_->close();
  } catch (const config::ConfigError& error) {
    const PgError failure(Phase::kConfig, Reason::kConfig, "", error.what(), true);
    count_error(failure);
    throw failure;
  } catch (const PgError& error) {
    backoff_.failed(Clock::now(), dice());
    count_error(error);
    throw;
  }
}

void Target::count_error(const PgError& error) {
  instruments_.count(families::kScrapeErrors,
                     {std::string(to_string(error.reason())), error.sqlstate()});
}

void Target::note_outcome(const Collected& collected) {
  if (collected.error && collected.error->reason() != Reason::kStopped) {
    note_failure(*collected.error);
  } else if (!collected.error) {
    if (last_error_ || !state_.up) {
      log::write(log::Level::kInfo, "target is up", {{"target", name()}});
    }
    last_error_.reset();
    state_.error.clear();
  }
  if (collected.facts) note_facts(*collected.facts);
  state_.up = collected.facts.has_value();
  state_.scraped = true;
  state_.last_scrape = std::chrono::system_clock::now();
  state_.last_duration = Clock::now() - collected.begin;
}

// One line when a target fails or fails differently, not one a scrape.
void Target::note_failure(const PgError& error) {
  const bool same = last_error_ && last_error_->reason() == error.reason() &&
                    last_error_->sqlstate() == error.sqlstate() && state_.scraped;
  last_error_ = error;
  state_.error = error.what();
  if (same) return;
  log::write(log::Level::kWarn, "target cannot be collected",
             {{"target", name()},
              {"address", state_.address},
              {"phase", std::string(to_string(error.phase()))},
              {"reason", std::string(to_string(error.reason()))},
              {"sqlstate", error.sqlstate()},
              {"error", error.what()},
              {"do", std::string(postgres::advice(error.reason()))}});
}

void Target::note_facts(const collectors::ServerFacts& facts) {
  if (state_.facts) {
    const collectors::Restart restart = collectors::restart_between(*state_.facts, facts);
    if (restart != collectors::Restart::kNone) {
      const std::string kind = restart == collectors::Restart::kCrash ? "crash" : "clean";
      instruments_.count(families::kServerRestarts, {kind});
      log::write(log::Level::kWarn, "server was restarted", {{"target", name()}, {"kind", kind}});
    }
  }
  state_.facts = facts;
}

void Target::note_skips(const std::vector<CollectorReport>& reports) {
  for (const CollectorReport& report : reports) {
    const std::string key = report.name + "/" + report.message;
    if (report.outcome == Outcome::kSuccess) {
      std::erase_if(told_, [&](const std::string& k) { return k.starts_with(report.name + "/"); });
    } else if (!report.message.empty() && told_.insert(key).second) {
      const bool skipped = report.outcome == Outcome::kSkipped;
      log::write(log::Level::kWarn, skipped ? "collector is skipped" : "collector failed",
                 {{"target", name()},
                  {"collector", report.name},
                  {"reason", skipped ? report.reason : "failed"},
                  {"role", state_.facts ? state_.facts->role : ""},
                  {"error", report.message}});
    }
  }
}

std::shared_ptr<const TargetResult> Target::result_of(Collected& collected,
                                                      const std::set<std::string>& collectors) {
  auto result = std::make_shared<TargetResult>();
  result->labels = labels_;
  metrics::MetricBatch& batch = result->batch;
  if (collected.facts) {
    collected.reports = run_collectors(collected.plan, options_, collected.readings, batch);
  } else {
    for (const std::string& collector : collectors) {
      collected.reports.push_back({collector, Outcome::kFailed, "", "", Seconds(0)});
    }
  }
  batch.unify();
  const auto limit = static_cast<std::size_t>(config_.global.max_series_per_metric);
  for (const metrics::Capped& capped : metrics::cap(batch, limit)) {
    batch.add(families::kCappedSeries, static_cast<double>(capped.series),
              {std::string(capped.descriptor->name)});
  }
  batch.add(families::kUp, collected.facts ? 1 : 0);
  add_target_info(batch);
  add_reports(collected.reports, batch);
  batch.add(families::kConnections, session_ && session_->is_open() ? 1 : 0, {"collect"});
  instruments_.count(families::kRepairedValues, {}, static_cast<double>(batch.repaired_values()));
  batch.append(instruments_.collect());
  return result;
}

void Target::add_target_info(metrics::MetricBatch& batch) const {
  if (!conninfo_) return;
  const postgres::Endpoint& first = conninfo_->endpoints().front();
  const auto& facts = state_.facts;
  batch.add(families::kTargetInfo, 1,
            {session_ && session_->is_open() ? session_->host()
                                             : (first.host.empty() ? first.hostaddr : first.host),
             session_ && session_->is_open() ? session_->port() : first.port, conninfo_->database(),
             "postgres", facts ? facts->version : "",
             !facts ? "" : (facts->in_recovery ? "standby" : "primary")});
}

}  // namespace pgconn::exporter
