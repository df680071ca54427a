#include "exporter/web_front.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include "config/web_config.h"
#include "exporter/log.h"
#include "exporter/relayed_ports.h"
#include "exporter/tls_listener.h"
#include "exporter/web_guard.h"

namespace pgconn::exporter {
namespace {

using Clock = WebGuard::Clock;

// Failed handshakes are told once in this time: whoever can connect can fail.
constexpr auto kTellAgain = std::chrono::minutes(1);

config::WebConfig load(const std::string& file) {
  return file.empty() ? config::WebConfig() : config::load_web_file(file);
}

std::unique_ptr<TlsCredentials> credentials_of(const config::WebConfig& web,
                                               const std::string& file) {
  if (!web.tls) return nullptr;
  try {
    return std::make_unique<TlsCredentials>(*web.tls);
  } catch (const std::exception& error) {
    throw std::runtime_error(file + ": " + error.what());
  }
}

// On the TLS thread alone.
class HandshakeLog {
 public:
  void failed(const std::string& peer, const std::string& reason) {
    ++failures_;
    const Clock::time_point now = Clock::now();
    if (told_ && now - *told_ < kTellAgain) return;
    log::write(log::Level::kWarn, "a TLS handshake failed",
               {{"peer", peer},
                {"error", reason},
                {"failures", std::to_string(failures_)},
                {"do", "check the client's CA and certificate; told once a minute at most"}});
    told_ = now;
    failures_ = 0;
  }

 private:
  std::optional<Clock::time_point> told_;
  int failures_ = 0;  // since then
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

void check_web_config(const std::string& file) {
  static_cast<void>(credentials_of(config::load_web_file(file), file));
}

class WebFront::Impl {
 public:
  Impl(HttpServerOptions options, const std::string& file, Routes routes) : file_(file) {
    const config::WebConfig web = load(file_);
    guard_.store(std::make_shared<WebGuard>(web, Clock::now()));
    if (!file_.empty()) {
      options.refuse = [this](const Request& request) {
        return guard_.load()->refuse(request, Clock::now());
      };
      options.headers = [this] { return guard_.load()->headers(); };
    }
    auto credentials = credentials_of(web, file_);
    if (!credentials) {
      http_.emplace(std::move(options), std::move(routes));
      return;
    }
    TlsListenerOptions tls;
    tls.addresses = std::exchange(options.addresses, {parse_listen_address("127.0.0.1:0")});
    tls.most_connections += static_cast<std::size_t>(options.threads);
    tls.relay.failed = [this](const std::string& peer, const std::string& reason) {
      handshakes_.failed(peer, reason);
    };
    tls.refreshed = &tell_refreshed;
    options.client = [this](std::string_view address, int port) {
      return relayed_.client(address, port);
    };
    http_.emplace(std::move(options), std::move(routes));
    tls.relay.inner_port = http_->ports().front();
    listener_.emplace(std::move(tls), std::move(credentials), relayed_);
  }

  const std::vector<int>& ports() const { return listener_ ? listener_->ports() : http_->ports(); }
  bool has_tls() const { return listener_.has_value(); }

  std::function<void()> read_again() {
    const config::WebConfig web = load(file_);
    if (web.tls.has_value() != has_tls()) {
      throw std::runtime_error(file_ + ": tls_server_config was " +
                               (has_tls() ? "taken away" : "added") +
                               ": TLS begins and ends with a restart of the exporter alone");
    }
    const std::shared_ptr<TlsCredentials> credentials = credentials_of(web, file_);
    const auto guard = std::make_shared<WebGuard>(web, Clock::now(), guard_.load().get());
    return [this, credentials, guard] {
      guard_.store(guard);
      if (listener_) listener_->replace(credentials);
    };
  }

  void stop() {
    if (listener_) listener_->stop_accepting();
    http_->stop();
    if (listener_) listener_->stop();
  }

 private:
  // Declared in the order things must outlive each other.
  const std::string file_;
  std::atomic<std::shared_ptr<WebGuard>> guard_;
  RelayedPorts relayed_;
  HandshakeLog handshakes_;
  std::optional<HttpServer> http_;
  std::optional<TlsListener> listener_;
};

WebFront::WebFront(HttpServerOptions options, const std::string& file, Routes routes)
    : impl_(std::make_unique<Impl>(std::move(options), file, std::move(routes))) {}
WebFront::~WebFront() { impl_->stop(); }
const std::vector<int>& WebFront::ports() const { return impl_->ports(); }
bool WebFront::has_tls() const { return impl_->has_tls(); }
std::function<void()> WebFront::read_again() { return impl_->read_again(); }
void WebFront::stop() { impl_->stop(); }

}  // namespace pgconn::exporter
