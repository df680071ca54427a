#include "exporter/targets/on_demand.h"

#include <algorithm>
#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include "exporter/log/log.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/targets/collect_once.h"
#include "exporter/targets/target_settings.h"
#include "postgres/sqlstate.h"
#include "text/join.h"

// g++ 12 takes the allocation and the release of Asio's coroutine frames, where both are inlined,
// for mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using postgres::PgError;

constexpr auto kSuccess = metrics::gauge(
    "probe_success", "1 if the server answered this request's collection, 0 if not.");
constexpr auto kDuration = metrics::gauge("probe_duration_seconds",
                                          "How long this request's collection took, with resolving "
                                          "the name and connecting.",
                                          {}, metrics::Unit::kSeconds, metrics::Fold::kMax);
constexpr auto kFailure = metrics::info(
    "probe_failure_info", "Why this request's collection failed, or some answers are missing.",
    {"phase", "reason", "sqlstate"});
constexpr std::array<const metrics::Descriptor*, 3> kFamilies = {&kSuccess, &kDuration, &kFailure};

// Takes itself out of the list at the end of its scope.
class Running {
 public:
  explicit Running(std::list<asio::cancellation_signal>& all)
      : all_(all), own_(all.emplace(all.end())) {}
  ~Running() { all_.erase(own_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  asio::cancellation_slot slot() { return own_->slot(); }

 private:
  std::list<asio::cancellation_signal>& all_;
  std::list<asio::cancellation_signal>::iterator own_;
};

ProbeAnswer refused(ProbeRefusal refusal) {
  ProbeAnswer answer;
  answer.refusal = std::move(refusal);
  return answer;
}

void note_failure(const std::string& name, const PgError& error, metrics::MetricBatch& batch) {
  batch.add(kFailure, 1,
            {std::string(postgres::to_string(error.phase())),
             std::string(postgres::to_string(error.reason())),
             std::string(postgres::sqlstate_label(error.sqlstate()))});
  log::write(log::Level::kDebug, "probe failed",
             {{"target", name},
              {"phase", std::string(postgres::to_string(error.phase()))},
              {"reason", std::string(postgres::to_string(error.reason()))},
              {"error", error.what()},
              {"do", std::string(postgres::advice(error))}});
}

// A server whose name does not resolve: what a target reports that is down.
TargetResult unresolved(const config::Target& target) {
  TargetResult result{labels_of(target), {}};
  result.batch.add(families::kUp, 0);
  return result;
}

}  // namespace

std::span<const metrics::Descriptor* const> on_demand_families() { return kFamilies; }

OnDemand::Module::Module(const config::AuthModule& module,
                         async::RateLimiter::Clock::time_point now)
    : config(module),
      limiter(std::chrono::nanoseconds(std::chrono::seconds(1)) / module.max_per_second,
              module.max_per_second, now) {}

OnDemand::OnDemand(asio::any_io_executor executor, postgres::Resolver::Lookup lookup)
    : executor_(executor),
      time_(executor),
      resolver_(executor, std::move(lookup)),
      passwords_(time_) {}

void OnDemand::apply(const config::ValidatedConfig& config) {
  auto before = std::move(modules_);
  modules_.clear();
  for (const config::AuthModule& module : config->auth_modules) {
    const auto same = before.find(module.name);
    // A module that did not change keeps what its limiter remembers.
    modules_[module.name] = same != before.end() && same->second->config == module
                                ? same->second
                                : std::make_shared<Module>(module, Clock::now());
  }
}

std::optional<ProbeRefusal> OnDemand::refuse(const ProbeRequest& request, const Module* module,
                                             const std::optional<config::Place>& place) const {
  if (modules_.empty()) return ProbeRefusal{404, "the configuration has no auth_modules"};
  if (module == nullptr) {
    return ProbeRefusal{400, request.module.empty()
                                 ? "auth_module= is missing; it names one of the configuration's "
                                   "auth_modules"
                                 : "unknown auth_module \"" + request.module + "\""};
  }
  if (!place) {
    return ProbeRefusal{
        400, request.place.empty()
                 ? "target= is missing; allowed: HOST[:PORT][/DATABASE]"
                 : "target=" + request.place + " is not a server; allowed: HOST[:PORT][/DATABASE]"};
  }
  const auto enabled =
      enabled_collectors(kind_of(module->config.target), module->config.target.collectors);
  for (const std::string& name : request.collectors) {
    if (enabled.contains(name)) continue;
    return ProbeRefusal{400, "collector \"" + name +
                                 "\" is not known or switched off; on: " + text::joined(enabled)};
  }
  return std::nullopt;
}

asio::awaitable<ProbeAnswer> OnDemand::ask(ProbeRequest request) {
  const auto found = modules_.find(request.module);
  const std::shared_ptr<Module> module = found != modules_.end() ? found->second : nullptr;
  const std::optional<config::Place> place = config::parse_place(request.place);
  auto refusal = refuse(request, module.get(), place);
  if (!refusal && !module->limiter.take(Clock::now())) {
    refusal = ProbeRefusal{429, "more than " + std::to_string(module->config.max_per_second) +
                                    " requests a second with this auth_module (max_per_second)"};
  }
  if (!refusal && stopped_) refusal = ProbeRefusal{503, "the exporter is stopping"};
  if (refusal) co_return refused(*std::move(refusal));

  Running running(running_);
  const auto began = Clock::now();
  ProbeAnswer answer;
  bool resolved = false;
  try {
    answer = co_await connect(request, *module, *place, running.slot());
    resolved = true;
  } catch (const PgError& error) {
    config::Target target = module->config.target;
    target.name = request.place;
    answer.result = unresolved(target);
    note_failure(request.place, error, answer.result.batch);
  }
  if (answer.refusal) co_return answer;
  metrics::MetricBatch& batch = answer.result.batch;
  if (!resolved) batch.add(kSuccess, 0);
  batch.add(kDuration, Seconds(Clock::now() - began).count());
  co_return answer;
}

asio::awaitable<std::vector<std::string>> OnDemand::resolve(const std::string& host,
                                                            postgres::Deadline deadline,
                                                            asio::cancellation_slot stop) {
  try {
    auto addresses =
        co_await asio::co_spawn(executor_, resolver_.resolve(host, deadline),
                                asio::bind_cancellation_slot(stop, asio::use_awaitable));
    co_return addresses;
  } catch (const std::system_error&) {  // Asio's sign that it was cancelled
    throw PgError(postgres::Phase::kResolve, postgres::Reason::kStopped, "",
                  "the exporter is stopping", true);
  }
}

asio::awaitable<ProbeAnswer> OnDemand::connect(const ProbeRequest& request, const Module& module,
                                               const config::Place& place,
                                               asio::cancellation_slot stop) {
  const auto deadline = request.patience.deadline(module.config.target.global);
  const auto addresses = co_await resolve(place.host, deadline, stop);
  const auto allowed = allowed_addresses(module.config, place, addresses);
  if (allowed.empty()) {
    ProbeRefusal refusal;
    refusal.status = 403;
    refusal.reason = "auth_module \"" + module.config.name + "\" does not allow " + request.place +
                     ", which is " + text::joined(addresses);
    co_return refused(std::move(refusal));
  }
  config::Target target = probed_target(module.config, request.place, place, allowed);
  for (const auto& name : enabled_collectors(kind_of(target), target.collectors)) {
    if (!request.collectors.empty() && !request.collectors.contains(name)) {
      target.collectors.enabled[name] = false;
    }
  }
  OneCollection once =
      co_await collect_once(resolver_, passwords_, target, kind_of(target), deadline, stop);
  ProbeAnswer answer;
  answer.result = std::move(once.result);
  answer.result.batch.add(kSuccess, once.facts ? 1 : 0);
  if (once.error) note_failure(target.name, *once.error, answer.result.batch);
  co_return answer;
}

void OnDemand::stop() {
  stopped_ = true;
  // Each may end its coroutine at once, which takes its signal out of the list.
  for (auto signal = running_.begin(); signal != running_.end();) {
    const auto next = std::next(signal);
    signal->emit(asio::cancellation_type::terminal);
    signal = next;
  }
}

}  // namespace pgconn::exporter
