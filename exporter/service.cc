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
#include <thread>

#include "exporter/log/log.h"
#include "exporter/own_metrics/exporter_metrics.h"
#include "exporter/own_metrics/process_metrics.h"
#include "exporter/own_metrics/version.h"
#include "exporter/pages/exposition_page.h"
#include "exporter/pages/html_page.h"
#include "exporter/pages/landing_page.h"
#include "exporter/pages/runbooks.h"
#include "exporter/pages/scrape_request.h"
#include "exporter/scrape_gate.h"
#include "exporter/signal_queue.h"
#include "exporter/targets/fleet.h"
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
        gate_(options_.max_requests) {
    const config::ValidatedConfig config = options_.load();
    // First in the loop's queue, so before any request. Not run directly, so that no probe has
    // begun if listening fails.
    asio::post(io_, [this, config] { fleet_.apply(config); });
    note_accepted(config);
    web_ = std::make_unique<WebFront>(server_options(), options_.web_config_file, routes());
    io_thread_ = std::thread([this] { run_io(); });
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
    for (; number == SIGHUP; number = signals_.wait()) reload();
    log::write(log::Level::kInfo, "stopping", {{"signal", std::to_string(number)}});
    stop();
    log::write(log::Level::kInfo, "stopped");
  }

 private:
  HttpServerOptions server_options() {
    HttpServerOptions server;
    server.addresses = options_.listen_addresses;
    server.threads = std::max(options_.max_requests + kSpareWorkers, kFewestWorkers);
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
    routes["/"] = [this](const Request&) { return landing(); };
    routes[options_.telemetry_path] = [this](const Request& request) { return metrics(request); };
    routes[options_.telemetry_path + std::string(kOwnMetrics)] = [this](const Request& request) {
      return expose(request, {}, true);
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

  void reload() {
    try {
      const config::ValidatedConfig config = options_.load();
      const auto enforce_web = web_->read_again();
      const Fleet::Change change = apply(config);
      note_accepted(config);
      enforce_web();
      log::write(log::Level::kInfo, "configuration was read again",
                 {{"targets_kept", std::to_string(change.kept)},
                  {"targets_begun", std::to_string(change.begun)},
                  {"targets_ended", std::to_string(change.ended)}});
    } catch (const std::exception& error) {
      accepted_last_ = false;
      log::write(log::Level::kError, "configuration was not accepted: the old one stays in force",
                 {{"error", error.what()}, {"do", "mend the file, then send SIGHUP again"}});
    }
  }

  // Applied and reported, or neither: an I/O thread that is too late finds the ticket withdrawn.
  Fleet::Change apply(const config::ValidatedConfig& config) {
    const auto ticket = std::make_shared<std::atomic_flag>();  // the first to set it decides
    std::packaged_task<Fleet::Change()> task([this, config] { return fleet_.apply(config); });
    auto change = task.get_future();
    asio::post(io_, [ticket, task = std::move(task)]() mutable {
      if (!ticket->test_and_set()) task();
    });
    if (change.wait_for(kReloadPatience) != std::future_status::ready && !ticket->test_and_set()) {
      throw std::runtime_error("the I/O thread does not answer");
    }
    return change.get();
  }

  void note_accepted(const config::ValidatedConfig& config) {
    config::Global most_patient = config->global;
    for (const config::Target& target : config->targets) {
      most_patient.scrape_timeout =
          std::max(most_patient.scrape_timeout, target.global.scrape_timeout);
      most_patient.scrape_timeout_offset =
          std::min(most_patient.scrape_timeout_offset, target.global.scrape_timeout_offset);
    }
    accepted_.store(std::make_shared<const Accepted>(
        Accepted{most_patient, config->targets.size(), std::chrono::system_clock::now()}));
    accepted_last_ = true;
  }

  void stop() {
    if (!io_thread_.joinable()) return;
    gate_.wait_until_empty(kStopGrace);
    asio::post(io_, [this] { fleet_.stop(); });
    web_->stop();
    work_.reset();
    io_thread_.join();
  }

  Response healthy() {
    const auto turn = asio::post(io_, asio::use_future);
    if (turn.wait_for(kHealthPatience) == std::future_status::ready) return text(200, "healthy");
    return text(503, "the I/O thread does not answer");
  }

  Response landing() {
    LandingPage page;
    const BuildInfo build = build_info();
    page.version = build.version;
    page.revision = build.revision;
    page.telemetry_path = options_.telemetry_path;
    page.config_file = options_.config_file;
    auto snapshots = asio::co_spawn(io_, fleet_.snapshots(), asio::use_future);
    if (snapshots.wait_for(kHealthPatience) != std::future_status::ready) {
      return text(503, "the I/O thread does not answer");
    }
    page.targets = snapshots.get();
    page.now = std::chrono::system_clock::now();
    return html_response(landing_page(page));
  }

  Response metrics(const Request& request) {
    const Clock::time_point begin = Clock::now();
    if (const auto refusal = timeout_refusal(request)) return text(400, *refusal);
    const ScrapeRequest scrape = scrape_request(request, begin);
    if (!gate_.enter()) {
      Response busy = text(503, "too many scrapes at once; the limit is --web.max-requests=" +
                                    std::to_string(options_.max_requests));
      busy.headers.emplace_back("Retry-After", "1");
      return busy;
    }
    const std::unique_ptr<ScrapeGate, void (*)(ScrapeGate*)> inside(
        &gate_, [](ScrapeGate* gate) { gate->leave(); });
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
    own.add(families::kTargets, static_cast<double>(accepted->targets));
    own.add(families::kReloadSuccessful, accepted_last_ ? 1 : 0);
    own.add(families::kReloadTime, Seconds(accepted->at.time_since_epoch()).count());
    own.add(families::kWedgedLogins, postgres::given_up_logins());
    own.add(families::kLogLinesDropped, static_cast<double>(log::lines_dropped()));
    add_process_metrics(parse_process_files(read_process_files()), own);
    return own;
  }

  // The part of the active configuration that HTTP workers need.
  struct Accepted {
    config::Global most_patient;  // has the latest deadline of all targets
    std::size_t targets = 0;
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
  metrics::Instruments counters_;
  ScrapeGate gate_;
  std::unique_ptr<WebFront> web_;
  std::thread io_thread_;
};

Service::Service(ServiceOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Service::~Service() = default;
void Service::run() { impl_->run(); }

}  // namespace pgconn::exporter
