#include "exporter/service.h"

#include <pthread.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <csignal>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "exporter/files_watch.h"
#include "exporter/log/log.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/own_metrics/process_metrics.h"
#include "exporter/own_metrics/version.h"
#include "exporter/pages/api.h"
#include "exporter/pages/exposition_page.h"
#include "exporter/pages/html_page.h"
#include "exporter/pages/incident_page.h"
#include "exporter/pages/landing_page.h"
#include "exporter/pages/probe_page.h"
#include "exporter/pages/runbooks.h"
#include "exporter/pages/scrape_request.h"
#include "exporter/pages/service_discovery.h"
#include "exporter/scrape_gate.h"
#include "exporter/signal_queue.h"
#include "exporter/targets/fleet.h"
#include "exporter/targets/on_demand.h"
#include "exporter/web/web_front.h"
#include "metrics/instruments.h"
#include "postgres/library.h"
#include "text/utf8.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Added to the latest deadline, for a busy I/O thread; after that the page says so.
constexpr milliseconds kCrossingGrace(1000);
constexpr milliseconds kHealthPatience(2000);
constexpr milliseconds kStopGrace(2000);
constexpr milliseconds kReloadPatience(10000);
// Workers for the other pages, besides those for scrapes. Each costs about 40 kB of memory.
constexpr int kSpareWorkers = 8;
// For logins that wait to be checked.
constexpr int kFewestWorkers = 40;

const std::vector<double> kScrapeBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.25,  0.5,    1,     2.5,  5,     10};

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body) + "\n";
  return response;
}

}  // namespace

class Service::Impl {
 public:
  explicit Impl(ServiceOptions options)
      : options_(std::move(options)),
        work_(io_.get_executor()),
        fleet_(io_.get_executor(), options_.host_paths),
        on_demand_(io_.get_executor()),
        gate_(options_.max_requests),
        probe_gate_(options_.max_requests) {
    const config::ValidatedConfig config = options_.load();
    // First in the loop's queue, so before any request. Not run directly, so that no probe has
    // begun if listening fails.
    asio::post(io_, [this, config] { apply_now(config); });
    note_accepted(config);
    web_ = std::make_unique<WebFront>(server_options(), options_.web_config_file, routes());
    io_thread_ = std::thread([this] { run_io(); });
    watch_files(config);
  }

  ~Impl() { stop(); }

  void run() {
    for (const int port : web_->ports()) {
      log::write(log::Level::kInfo, "listening",
                 {{"port", std::to_string(port)},
                  {"path", options_.telemetry_path},
                  {"tls", web_->has_tls() ? "true" : "false"}});
    }
    int number = signals_.wait();
    for (; number == SIGHUP; number = signals_.wait()) reload("SIGHUP");
    log::write(log::Level::kInfo, "stopping", {{"signal", std::to_string(number)}});
    stop();
    log::write(log::Level::kInfo, "stopped");
  }

 private:
  HttpServerOptions server_options() {
    HttpServerOptions server;
    server.addresses = options_.listen_addresses;
    // Requests to /probe take none of those that scrapes need.
    server.threads = std::max(2 * options_.max_requests + kSpareWorkers, kFewestWorkers);
    server.served = [this](std::string_view path, int status) {
      counters_.count(families::kHttpRequests, {std::string(path), std::to_string(status)});
    };
    server.failed = [](std::string_view path, std::string_view reason) {
      log::write(log::Level::kError, "request failed",
                 {{"path", std::string(path)}, {"error", std::string(reason)}});
    };
    return server;
  }

  Routes routes() {
    Routes routes;
    routes["/"] = [this](const Request&) {
      return of_snapshots([this](auto targets) { return landing(std::move(targets)); });
    };
    routes["/incidents/*"] = [this](const Request& request) {
      return of_snapshots([&](auto targets) { return incident_response(request, targets); });
    };
    routes["/api/v1/*"] = [this](const Request& request) {
      return of_snapshots([&](auto targets) { return api_response(request, targets); });
    };
    routes[options_.telemetry_path] = [this](const Request& request) { return metrics(request); };
    routes[options_.telemetry_path + std::string(kOwnMetrics)] = [this](const Request& request) {
      return expose(request, {}, true);
    };
    routes["/probe"] = [this](const Request& request) { return probe(request); };
    routes[std::string(kPost) + "/-/reload"] = [this](const Request&) { return reload_page(); };
    routes["/sd"] = [this](const Request& request) {
      return service_discovery(request, accepted_.load()->config->targets, options_.telemetry_path,
                               web_->has_tls());
    };
    routes["/runbooks/*"] = [](const Request& request) {
      return runbook_response(embedded_runbooks(), request);
    };
    routes["/-/healthy"] = [this](const Request&) { return healthy(); };
    routes["/-/ready"] = [](const Request&) { return text(200, "ready"); };
    return routes;
  }

  // The I/O thread must survive anything that a coroutine's completion throws.
  void run_io() {
    pthread_setname_np(pthread_self(), "io");  // for tools such as top
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& error) {
        log::write(log::Level::kError, "unexpected failure on the I/O thread",
                   {{"error", error.what()}});
      }
    }
  }

  // Why the configuration was not accepted, or nothing. Any thread.
  std::optional<std::string> reload(std::string_view trigger) {
    const std::lock_guard lock(reload_mutex_);
    try {
      const config::ValidatedConfig config = options_.load();
      const auto enforce_web = web_->read_again();
      const Fleet::Change change = apply(config);
      note_accepted(config);
      watch_files(config);
      enforce_web();
      log::write(log::Level::kInfo, "configuration was read again",
                 {{"trigger", std::string(trigger)},
                  {"targets_kept", std::to_string(change.kept)},
                  {"targets_begun", std::to_string(change.begun)},
                  {"targets_ended", std::to_string(change.ended)}});
      return std::nullopt;
    } catch (const std::exception& error) {
      accepted_last_ = false;
      log::write(log::Level::kError, "configuration was not accepted: the old one stays in force",
                 {{"trigger", std::string(trigger)},
                  {"error", error.what()},
                  {"do", "fix the file, then reload"}});
      return error.what();
    }
  }

  Response reload_page() {
    if (!options_.lifecycle) {
      return text(403, "reloading by HTTP is off; switch it on with --web.enable-lifecycle");
    }
    const auto refusal = reload("http");
    return refusal ? text(500, text::repaired(*refusal)) : text(200, "reloaded");
  }

  // Applied and reported, or neither: an I/O thread that is too late finds the ticket withdrawn.
  Fleet::Change apply(const config::ValidatedConfig& config) {
    const auto ticket = std::make_shared<std::atomic_flag>();  // the first to set it decides
    std::packaged_task<Fleet::Change()> task([this, config] { return apply_now(config); });
    auto change = task.get_future();
    asio::post(io_, [ticket, task = std::move(task)]() mutable {
      if (!ticket->test_and_set()) task();
    });
    if (change.wait_for(kReloadPatience) != std::future_status::ready && !ticket->test_and_set()) {
      throw std::runtime_error("the I/O thread does not answer");
    }
    return change.get();
  }

  // On the I/O thread. If it throws, nothing has changed.
  Fleet::Change apply_now(const config::ValidatedConfig& config) {
    const Fleet::Change change = fleet_.apply(config);
    on_demand_.apply(config);
    return change;
  }

  void note_accepted(const config::ValidatedConfig& config) {
    config::Global most_patient = config->global;
    const auto take = [&most_patient](const config::Target& target) {
      most_patient.scrape_timeout =
          std::max(most_patient.scrape_timeout, target.global.scrape_timeout);
      most_patient.scrape_timeout_offset =
          std::min(most_patient.scrape_timeout_offset, target.global.scrape_timeout_offset);
    };
    for (const config::Target& target : config->targets) take(target);
    for (const config::AuthModule& module : config->auth_modules) take(module.target);
    accepted_.store(std::make_shared<const Accepted>(
        Accepted{most_patient, config, std::chrono::system_clock::now()}));
    accepted_last_ = true;
  }

  void watch_files(const config::ValidatedConfig& config) {
    std::vector<std::string> patterns;
    for (const config::TargetFiles& entry : config->target_files) {
      patterns.insert(patterns.end(), entry.patterns.begin(), entry.patterns.end());
    }
    target_files_.watch(std::move(patterns), config->target_file_versions);
  }

  void stop() {
    if (!io_thread_.joinable()) return;
    target_files_.stop();
    gate_.wait_until_empty(kStopGrace);
    asio::post(io_, [this] {
      fleet_.stop();
      on_demand_.stop();
    });
    web_->stop();
    work_.reset();
    io_thread_.join();
  }

  Response healthy() {
    const auto turn = asio::post(io_, asio::use_future);
    if (turn.wait_for(kHealthPatience) == std::future_status::ready) return text(200, "healthy");
    return text(503, "the I/O thread does not answer");
  }

  // A page made of what is known of the targets.
  template <typename Make>
  Response of_snapshots(const Make& make) {
    auto snapshots = asio::co_spawn(io_, fleet_.snapshots(), asio::use_future);
    if (snapshots.wait_for(kHealthPatience) != std::future_status::ready) {
      return text(503, "the I/O thread does not answer");
    }
    return make(snapshots.get());
  }

  Response landing(std::vector<TargetSnapshot> targets) {
    LandingPage page;
    const BuildInfo build = build_info();
    page.version = build.version;
    page.revision = build.revision;
    page.telemetry_path = options_.telemetry_path;
    page.config_file = options_.config_file;
    page.targets = std::move(targets);
    page.now = std::chrono::system_clock::now();
    return html_response(landing_page(page));
  }

  Response metrics(const Request& request) {
    const Clock::time_point begin = Clock::now();
    if (const auto refusal = timeout_refusal(request)) return text(400, *refusal);
    const ScrapeRequest scrape = scrape_request(request, begin);
    const Entry entry(gate_);
    if (!entry) return too_many("scrapes");
    auto future = asio::co_spawn(io_, fleet_.scrape(scrape), asio::use_future);
    const auto latest = scrape.patience.deadline(accepted_.load()->most_patient);
    if (future.wait_until(latest + kCrossingGrace) != std::future_status::ready) {
      return text(503, "the I/O thread did not answer in time");
    }
    const Scraped scraped = future.get();
    if (scraped.refusal) return text(400, text::repaired(*scraped.refusal));
    counters_.observe(families::kScrapeDuration, Seconds(Clock::now() - begin).count(),
                      kScrapeBuckets);
    return expose(request, scraped.results, !scrape.target);
  }

  Response probe(const Request& request) {
    const Clock::time_point begin = Clock::now();
    if (const auto refusal = timeout_refusal(request)) return text(400, *refusal);
    const Entry entry(probe_gate_);
    if (!entry) return too_many("probes");
    const ProbeRequest wanted = probe_request(request, begin);
    auto future = asio::co_spawn(io_, on_demand_.ask(wanted), asio::use_future);
    const auto latest = wanted.patience.deadline(accepted_.load()->most_patient);
    if (future.wait_until(latest + kCrossingGrace) != std::future_status::ready) {
      return text(503, "the I/O thread did not answer in time");
    }
    const ProbeAnswer answer = future.get();
    if (answer.refusal) return probe_refusal(*answer.refusal);
    const metrics::LabeledBatch batch{answer.result.labels, &answer.result.batch};
    return exposition_page(request, {&batch, 1});
  }

  Response too_many(const std::string& what) const {
    return probe_refusal({503, "too many " + what + " at once; the limit is --web.max-requests=" +
                                   std::to_string(options_.max_requests)});
  }

  Response expose(const Request& request, const TargetResults& results, bool with_own) {
    std::vector<metrics::LabeledBatch> batches;
    for (const auto& result : results) batches.push_back({result->labels, &result->batch});
    metrics::MetricBatch own;
    if (with_own) {
      own = own_batch();
      batches.push_back({{}, &own});
    }
    return exposition_page(request, batches);
  }

  metrics::MetricBatch own_batch() {
    metrics::MetricBatch own = counters_.collect();
    const BuildInfo build = build_info();
    own.add(families::kBuildInfo, 1, {build.version, build.revision, build.libpq, build.openssl});
    const auto accepted = accepted_.load();
    own.add(families::kTargets, static_cast<double>(accepted->config->targets.size()));
    own.add(families::kReloadSuccessful, accepted_last_ ? 1 : 0);
    own.add(families::kReloadTime, Seconds(accepted->at.time_since_epoch()).count());
    own.add(families::kWedgedLogins, postgres::given_up_logins());
    own.add(families::kLogLinesDropped, static_cast<double>(log::lines_dropped()));
    add_process_metrics(parse_process_files(read_process_files()), own);
    return own;
  }

  // The part of the active configuration that HTTP workers need.
  struct Accepted {
    config::Global most_patient;  // has the latest deadline of all targets and modules
    config::ValidatedConfig config;
    std::chrono::system_clock::time_point at;
  };

  // Declared in the order of lifetimes: the loop must outlive everything else.
  ServiceOptions options_;
  std::atomic<std::shared_ptr<const Accepted>> accepted_;
  std::atomic<bool> accepted_last_{false};
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  SignalQueue signals_;
  Fleet fleet_;
  OnDemand on_demand_;
  metrics::Instruments counters_;
  ScrapeGate gate_;
  ScrapeGate probe_gate_;
  std::mutex reload_mutex_;
  std::unique_ptr<WebFront> web_;
  std::thread io_thread_;
  FilesWatch target_files_{[this] { reload("target_files"); }};
};

Service::Service(ServiceOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Service::~Service() = default;
void Service::run() { impl_->run(); }

}  // namespace pgconn::exporter
