#include "exporter/web/web_front.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "config/loader.h"
#include "config/web_config.h"
#include "exporter/log/log.h"
#include "exporter/web/civetweb_exchange.h"
#include "exporter/web/http_listener.h"
#include "exporter/web/relayed_ports.h"
#include "exporter/web/web_guard.h"
#include "files/file_watch.h"

namespace pgconn::exporter {
namespace {

using Clock = WebGuard::Clock;

constexpr auto kTellAgain = std::chrono::minutes(1);
constexpr auto kRetry = std::chrono::seconds(10);

// The file's text, to see whether it has changed, and what was read from it.
struct Reading {
  std::string text;
  config::WebConfig web;
};

Reading load(const std::string& file) {
  if (file.empty()) return {};
  Reading reading{config::read_configuration(file), {}};
  reading.web = config::load_web_text(reading.text, file);
  return reading;
}

std::unique_ptr<TlsCredentials> credentials_of(const config::WebConfig& web,
                                               const std::string& file,
                                               TlsCredentials::Settings settings = {}) {
  if (!web.tls) return nullptr;
  try {
    return std::make_unique<TlsCredentials>(*web.tls, std::move(settings));
  } catch (const std::exception& error) {
    throw std::runtime_error(file + ": " + error.what());
  }
}

void tell_warnings(const config::WebConfig& web) {
  for (const std::string& warning : web.warnings) {
    log::write(log::Level::kWarn, "the web configuration may protect less than it seems to",
               {{"warning", warning}});
  }
}

// A file that is being written may be cut off anywhere: a change that would let more people in
// needs the operator's confirmation.
void refuse_fewer_protections(const config::WebConfig& before, const config::WebConfig& web,
                              const std::string& file) {
  const auto refuse = [&](std::string_view what) {
    throw std::runtime_error(file + ": " + std::string(what) +
                             "; if that is intended, send SIGHUP to apply it");
  };
  if (web.users.empty() && !before.users.empty()) refuse("logins would no longer be required");
  if (web.rate_limit == config::RateLimit() && before.rate_limit != config::RateLimit()) {
    refuse("there would no longer be a rate limit");
  }
  const auto demands = [](const config::WebConfig& some) {
    return some.tls && some.tls->client_auth == config::ClientAuth::kVerify;
  };
  if (demands(before) && !demands(web)) {
    refuse("clients would no longer need a verified certificate");
  }
  if (demands(before) && before.tls->client_allowed_sans && !web.tls->client_allowed_sans) {
    refuse("every name in clients' certificates would be allowed");
  }
}

// For failures that clients cause, one line from time to time: anyone who can connect can cause
// them. On the listener's thread alone.
class RareWarning {
 public:
  RareWarning(std::string message, std::string what_to_do)
      : message_(std::move(message)), what_to_do_(std::move(what_to_do)) {}

  void tell(const std::string& peer, const std::string& error) {
    ++times_;
    const Clock::time_point now = Clock::now();
    if (told_ && now - *told_ < kTellAgain) return;
    log::write(log::Level::kWarn, message_,
               {{"peer", peer},
                {"error", error},
                {"failures", std::to_string(times_)},
                {"do", what_to_do_ + "; logged once a minute at most"}});
    told_ = now;
    times_ = 0;
  }

 private:
  const std::string message_;
  const std::string what_to_do_;
  std::optional<Clock::time_point> told_;
  int times_ = 0;  // since then
};

void tell_refreshed(const std::string& error) {
  if (error.empty()) {
    log::write(log::Level::kInfo, "the files of tls_server_config were read again");
    return;
  }
  log::write(log::Level::kError,
             "changed files of tls_server_config cannot be used: the old ones stay in force",
             {{"error", error}});
}

}  // namespace

std::vector<std::string> check_web_config(const std::string& file) {
  const config::WebConfig web = load(file).web;
  static_cast<void>(credentials_of(web, file));
  return web.warnings;
}

class WebFront::Impl {
 public:
  Impl(HttpServerOptions options, const std::string& file, Routes routes)
      : file_(file), watch_(file_), reading_(load(file_)), has_tls_(reading_.web.tls.has_value()) {
    guard_.store(std::make_shared<WebGuard>(reading_.web, Clock::now()));
    if (!file_.empty()) {
      options.refuse = [this](const Request& request) {
        look();
        return guard_.load()->refuse(request, Clock::now());
      };
      options.headers = [this] { return guard_.load()->headers(); };
    }
    tell_warnings(reading_.web);
    auto credentials = make_credentials(reading_.web);
    if (reading_.web.tls) {
      tls_.store(std::make_shared<const config::WebTls>(*reading_.web.tls));
    }
    HttpListenerOptions listener = listener_options(options);
    options.addresses = {parse_listen_address("127.0.0.1:0")};
    options.client = [this](std::string_view address, int port) {
      return relayed_.client(address, port);
    };
    http_.emplace(std::move(options), std::move(routes));
    listener.relay.inner_port = http_->ports().front();
    listener_.emplace(std::move(listener), std::move(credentials), relayed_);
  }

  const std::vector<int>& ports() const { return listener_->ports(); }
  bool has_tls() const { return has_tls_; }

  std::function<void()> read_again() {
    auto reading = std::make_shared<Reading>(load(file_));
    const std::shared_ptr<TlsCredentials> credentials = check(reading->web);
    return [this, reading, credentials] {
      const std::lock_guard lock(mutex_);
      put_in_force(std::move(*reading));
      retry_at_ = Clock::now();  // the file may have changed again since it was read
      if (credentials) listener_->replace(credentials);
    };
  }

  void stop() {
    listener_->stop_accepting();
    http_->stop();
    listener_->stop();
  }

 private:
  HttpListenerOptions listener_options(const HttpServerOptions& server) {
    HttpListenerOptions listener;
    listener.addresses = server.addresses;
    listener.workers = static_cast<std::size_t>(server.threads);
    listener.relay.failed_handshake = [this](const std::string& peer, const std::string& error) {
      failed_handshakes_.tell(peer, error);
    };
    listener.relay.troubled = [this](const std::string& error) { troubles_.tell("", error); };
    listener.relay.refusal = [headers = server.headers, served = server.served](
                                 int status, std::string_view body) {
      Response response;
      response.status = status;
      response.body = body;
      response.headers = headers();
      served(kOtherPath, status);
      return as_sent(response);
    };
    listener.refreshed = &tell_refreshed;
    return listener;
  }

  // Called before each request and each handshake: they are judged by the file as it is now. A file
  // that cannot be used changes nothing.
  void look() {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    if (!watch_.changed() && (!retry_at_ || now < *retry_at_)) return;
    retry_at_.reset();
    try {
      Reading reading = load(file_);
      if (reading.text != reading_.text) {
        check(reading.web);
        refuse_fewer_protections(reading_.web, reading.web, file_);
        put_in_force(std::move(reading));
        log::write(log::Level::kInfo, "the changed web configuration is in force");
      }
      error_.clear();
    } catch (const std::exception& error) {
      retry_at_ = now + kRetry;  // the files that it names may be there by then
      if (std::exchange(error_, error.what()) == error.what()) return;
      log::write(log::Level::kError,
                 "the changed web configuration cannot be used: the old one stays in force",
                 {{"error", error_}});
    }
  }

  // Throws if it cannot replace the one in force.
  std::unique_ptr<TlsCredentials> check(const config::WebConfig& web) {
    if (web.tls.has_value() != has_tls_) {
      throw std::runtime_error(file_ + ": tls_server_config was " +
                               (has_tls_ ? "removed" : "added") +
                               ": turning TLS on or off needs a restart of the exporter");
    }
    return make_credentials(web);
  }

  std::unique_ptr<TlsCredentials> make_credentials(const config::WebConfig& web) {
    return credentials_of(web, file_, [this] {
      look();
      return tls_.load();
    });
  }

  // With mutex_ held.
  void put_in_force(Reading reading) {
    reading_ = std::move(reading);
    guard_.store(std::make_shared<WebGuard>(reading_.web, Clock::now(), guard_.load().get()));
    if (has_tls_) tls_.store(std::make_shared<const config::WebTls>(*reading_.web.tls));
    tell_warnings(reading_.web);
  }

  // Declared in the order in which they must outlive each other.
  const std::string file_;
  std::mutex mutex_;  // guards the four below
  files::FileWatch watch_;
  Reading reading_;  // in force
  std::optional<Clock::time_point> retry_at_;
  std::string error_;  // of the last check; empty if there was none
  const bool has_tls_;
  std::atomic<std::shared_ptr<const config::WebTls>> tls_;
  std::atomic<std::shared_ptr<WebGuard>> guard_;
  RelayedPorts relayed_;
  RareWarning failed_handshakes_{"a TLS handshake failed", "check the client's CA and certificate"};
  RareWarning troubles_{"an HTTP client could not be served",
                        "check the limits of open files and of memory"};
  std::optional<HttpServer> http_;
  std::optional<HttpListener> listener_;
};

WebFront::WebFront(HttpServerOptions options, const std::string& file, Routes routes)
    : impl_(std::make_unique<Impl>(std::move(options), file, std::move(routes))) {}
WebFront::~WebFront() { impl_->stop(); }
const std::vector<int>& WebFront::ports() const { return impl_->ports(); }
bool WebFront::has_tls() const { return impl_->has_tls(); }
std::function<void()> WebFront::read_again() { return impl_->read_again(); }
void WebFront::stop() { impl_->stop(); }

}  // namespace pgconn::exporter
