#include "exporter/service.h"

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>
#include <thread>

#include "exporter/exporter_metrics.h"
#include "exporter/fleet.h"
#include "exporter/http_server.h"
#include "exporter/landing_page.h"
#include "exporter/log.h"
#include "exporter/process_metrics.h"
#include "exporter/scrape_request.h"
#include "exporter/target_view.h"
#include "exporter/version.h"
#include "metrics/exposition.h"
#include "metrics/instruments.h"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Beyond the scrape's own deadline: for an I/O thread that is busy, then the page says so.
constexpr milliseconds kCrossingGrace(1000);
constexpr milliseconds kHealthPatience(2000);
constexpr milliseconds kStopGrace(2000);
// Besides those that scrape: for the other pages and for clients that connect and stay silent.
constexpr int kSpareWorkers = 32;

const std::vector<double> kScrapeBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.25,  0.5,    1,     2.5,  5,     10};

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body) + "\n";
  return response;
}

// Counts the scrapes under way and lets somebody wait until there are none.
class ScrapeGate {
 public:
  explicit ScrapeGate(int limit) : limit_(limit) {}

  bool enter() {
    const std::lock_guard lock(mutex_);
    if (inside_ >= limit_) return false;
    ++inside_;
    return true;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }
  void wait_until_empty(milliseconds patience) {
    std::unique_lock lock(mutex_);
    empty_.wait_for(lock, patience, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  int inside_ = 0;
  int limit_;
};

}  // namespace

class Service::Impl {
 public:
  Impl(const config::ValidatedConfig& config, ServiceOptions options)
      : options_(std::move(options)),
        global_(config->global),
        work_(io_.get_executor()),
        signals_(io_, SIGTERM, SIGINT),
        hangups_(io_, SIGHUP),
        fleet_(io_.get_executor(), config),
        gate_(options_.max_requests),
        loaded_at_(std::chrono::system_clock::now()) {
    http_ = std::make_unique<HttpServer>(server_options(), routes());
    await_hangup();
    asio::post(io_, [this] { fleet_.start(); });
    io_thread_ = std::thread([this] { run_io(); });
  }

  ~Impl() { stop(); }

  void run() {
    std::promise<int> signalled;
    auto signal = signalled.get_future();
    asio::post(io_, [this, &signalled] { await_signal(signalled); });
    for (const int port : http_->ports()) {
      log::write(log::Level::kInfo, "listening",
                 {{"port", std::to_string(port)}, {"path", options_.telemetry_path}});
    }
    const int number = signal.get();
    log::write(log::Level::kInfo, "stopping", {{"signal", std::to_string(number)}});
    stop();
    log::write(log::Level::kInfo, "stopped");
  }

 private:
  HttpServerOptions server_options() {
    HttpServerOptions server;
    server.addresses = options_.listen_addresses;
    server.threads = options_.max_requests + kSpareWorkers;
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
    routes["/-/healthy"] = [this](const Request&) { return healthy(); };
    routes["/-/ready"] = [](const Request&) { return text(200, "ready"); };
    return routes;
  }

  // The I/O thread must survive whatever a coroutine's completion throws.
  void run_io() {
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

  void await_signal(std::promise<int>& signalled) {
    signals_.async_wait([this, &signalled](asio::error_code error, int number) {
      if (error) return;
      signalled.set_value(number);
      signals_.async_wait([](asio::error_code again, int) {
        if (!again) std::_Exit(1);  // asked twice: the operator does not want to wait
      });
    });
  }

  // Its default would end the program, and it is what operators send to have a file read again.
  void await_hangup() {
    hangups_.async_wait([this](asio::error_code error, int) {
      if (error) return;
      log::write(log::Level::kWarn,
                 "SIGHUP changes nothing: the configuration is read at the start",
                 {{"do", "restart the exporter to have a changed configuration read"}});
      await_hangup();
    });
  }

  void stop() {
    if (!io_thread_.joinable()) return;
    gate_.wait_until_empty(kStopGrace);
    asio::post(io_, [this] { fleet_.stop(); });
    http_->stop();
    asio::post(io_, [this] {
      signals_.cancel();
      hangups_.cancel();
    });
    work_.reset();
    io_thread_.join();
  }

  // Runs a function on the I/O thread and waits for its value; nothing if that takes too long.
  template <typename Function>
  auto on_io(Function function, milliseconds patience)
      -> std::optional<std::invoke_result_t<Function>> {
    using Value = std::invoke_result_t<Function>;
    auto task = std::make_shared<std::packaged_task<Value()>>(std::move(function));
    auto future = task->get_future();
    asio::post(io_, [task] { (*task)(); });
    if (future.wait_for(patience) != std::future_status::ready) return std::nullopt;
    return future.get();
  }

  Response healthy() {
    if (on_io([] { return true; }, kHealthPatience)) return text(200, "healthy");
    return text(503, "the I/O thread does not answer");
  }

  Response landing() {
    LandingPage page;
    const BuildInfo build = build_info();
    page.version = build.version;
    page.revision = build.revision;
    page.telemetry_path = options_.telemetry_path;
    page.config_file = options_.config_file;
    const auto states = on_io([this] { return fleet_.states(); }, kHealthPatience);
    if (!states) return text(503, "the I/O thread does not answer");
    for (const TargetState& state : *states) {
      page.targets.push_back(target_view(state, std::chrono::system_clock::now()));
    }
    Response response;
    response.content_type = "text/html; charset=utf-8";
    response.body = landing_page(page);
    return response;
  }

  Response metrics(const Request& request) {
    const Clock::time_point begin = Clock::now();
    const ScrapeRequest scrape = scrape_request(request, global_, begin);
    if (auto refusal = fleet_.refuse(scrape)) return text(400, *refusal);
    if (!gate_.enter()) {
      Response busy = text(503, "too many scrapes at once; the limit is --web.max-requests=" +
                                    std::to_string(options_.max_requests));
      busy.headers.emplace_back("Retry-After", "1");
      return busy;
    }
    const std::unique_ptr<ScrapeGate, void (*)(ScrapeGate*)> inside(
        &gate_, [](ScrapeGate* gate) { gate->leave(); });
    auto future = asio::co_spawn(io_, fleet_.scrape(scrape), asio::use_future);
    if (future.wait_until(scrape.deadline + kCrossingGrace) != std::future_status::ready) {
      return text(503, "the I/O thread did not answer in time");
    }
    const TargetResults results = future.get();
    counters_.observe(families::kScrapeDuration, Seconds(Clock::now() - begin).count(),
                      kScrapeBuckets);
    return expose(request, results, !scrape.target);
  }

  Response expose(const Request& request, const TargetResults& results, bool with_own) {
    std::vector<metrics::LabeledBatch> batches;
    for (const auto& result : results) batches.push_back({result->labels, &result->batch});
    metrics::MetricBatch own;
    if (with_own) {
      own = own_batch();
      batches.push_back({{}, &own});
    }
    const metrics::Format format = metrics::negotiate(request.header("accept"));
    Response response;
    response.content_type = std::string(metrics::content_type(format));
    response.body = metrics::expose(batches, format);
    response.headers.emplace_back("Vary", "Accept, Accept-Encoding");
    if (metrics::accepts_gzip(request.header("accept-encoding"))) {
      response.body = metrics::gzip(response.body);
      response.headers.emplace_back("Content-Encoding", "gzip");
    }
    return response;
  }

  metrics::MetricBatch own_batch() {
    metrics::MetricBatch own = counters_.collect();
    const BuildInfo build = build_info();
    own.add(families::kBuildInfo, 1, {build.version, build.revision, build.libpq, build.openssl});
    own.add(families::kTargets, static_cast<double>(fleet_.size()));
    own.add(families::kReloadSuccessful, 1);
    own.add(families::kReloadTime, Seconds(loaded_at_.time_since_epoch()).count());
    add_process_metrics(parse_process_files(read_process_files()), own);
    return own;
  }

  // Declared in the order things must outlive each other: the loop first.
  ServiceOptions options_;
  config::Global global_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::signal_set signals_;
  asio::signal_set hangups_;
  Fleet fleet_;
  metrics::Instruments counters_;
  ScrapeGate gate_;
  std::chrono::system_clock::time_point loaded_at_;
  std::unique_ptr<HttpServer> http_;
  std::thread io_thread_;
};

Service::Service(const config::ValidatedConfig& config, ServiceOptions options)
    : impl_(std::make_unique<Impl>(config, std::move(options))) {}
Service::~Service() = default;
void Service::run() { impl_->run(); }

}  // namespace pgconn::exporter
