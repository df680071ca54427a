#include "exporter/web/http_listener.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <deque>
#include <list>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "exporter/log/log.h"
#include "exporter/web/small_stacks.h"

#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // see http_relay.cc

namespace pgconn::exporter {
namespace {

using asio::ip::tcp;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr auto kStopGrace = std::chrono::milliseconds(1000);

// The endpoints to try: without a host, first one socket for both families, then IPv4 alone for a
// kernel without IPv6.
std::vector<tcp::endpoint> endpoints_of(const ListenAddress& address) {
  if (!address.host.empty()) return {{asio::ip::make_address(address.host), address.port}};
  return {{tcp::v6(), address.port}, {tcp::v4(), address.port}};
}

asio::error_code listen(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool both) {
  asio::error_code error;
  (void)acceptor.open(endpoint.protocol(), error);
  if (!error) (void)acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    (void)acceptor.set_option(asio::ip::v6_only(!both), error);
  }
  if (!error) (void)acceptor.bind(endpoint, error);
  if (!error) (void)acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    asio::error_code ignored;
    (void)acceptor.close(ignored);
  }
  return error;
}

tcp::acceptor listen(asio::io_context& io, const ListenAddress& address) {
  tcp::acceptor acceptor(io);
  asio::error_code error;
  for (const tcp::endpoint& endpoint : endpoints_of(address)) {
    error = listen(acceptor, endpoint, address.host.empty());
    if (!error) return acceptor;
    if (error == asio::error::address_in_use) break;
  }
  throw std::runtime_error(listen_failure(address, error.value(), error.message()));
}

}  // namespace

class HttpListener::Impl {
 public:
  Impl(HttpListenerOptions options, std::shared_ptr<TlsCredentials> credentials,
       RelayedPorts& ports)
      : options_(std::move(options)),
        credentials_(std::move(credentials)),
        relayed_(ports),
        workers_({.at_once = options_.workers,
                  .at_once_of_one_address =
                      std::max<std::size_t>(options_.workers, options_.workers_for_others + 1) -
                      options_.workers_for_others,
                  .waiting = options_.most_waiting}),
        work_(io_.get_executor()),
        grace_(io_) {
    for (const ListenAddress& address : options_.addresses) {
      acceptors_.push_back(listen(io_, address));
      ports_.push_back(acceptors_.back().local_endpoint().port());
    }
    for (tcp::acceptor& acceptor : acceptors_) {
      asio::co_spawn(io_, accept(acceptor), asio::detached);
    }
    const SmallStacks small_stacks;
    thread_ = std::thread([this] { run(); });
  }

  const std::vector<int>& ports() const { return ports_; }

  void replace(const std::shared_ptr<TlsCredentials>& credentials) {
    asio::post(io_, [this, credentials] {
      credentials_ = credentials;
      in_force_ = nullptr;
    });
  }

  void stop_accepting() {
    asio::post(io_, [this] {
      stopping_ = true;
      for (tcp::acceptor& acceptor : acceptors_) acceptor.close();
      for (const auto& relay : relays_) {
        if (relay->stage() == HttpRelay::Stage::kAsking) relay->close();
      }
    });
  }

  void stop() {
    if (!thread_.joinable()) return;
    stop_accepting();
    asio::post(io_, [this] {
      work_.reset();  // from now on the loop ends with its last connection
      grace_.expires_after(kStopGrace);
      grace_.async_wait([this](const asio::error_code& error) {
        if (error) return;
        for (const auto& relay : relays_) relay->close();
      });
      end_grace_if_empty();
    });
    thread_.join();
  }

 private:
  // The thread must survive anything that a coroutine's completion throws.
  void run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& error) {
        log::write(log::Level::kError, "unexpected failure on the HTTP thread",
                   {{"error", error.what()}});
      }
    }
  }

  asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    while (acceptor.is_open()) {
      tcp::socket client(io_);
      asio::error_code error;
      co_await acceptor.async_accept(client, asio::redirect_error(asio::use_awaitable, error));
      if (!acceptor.is_open()) co_return;
      if (!error && begins(std::move(client))) continue;
      // Usually no file descriptors or no memory; without a pause the loop would spin.
      asio::steady_timer pause(io_, kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  // Whatever keeps one connection from beginning, the next must be accepted.
  bool begins(tcp::socket client) {
    try {
      begin(std::move(client));
      return true;
    } catch (const std::exception& error) {
      options_.relay.troubled(std::string("a connection cannot begin: ") + error.what());
      return false;
    }
  }

  void begin(tcp::socket client) {
    relays_.push_back(std::make_shared<HttpRelay>(std::move(client), tls_context(), options_.relay,
                                                  relayed_, workers_));
    try {
      asio::co_spawn(io_, serve(std::prev(relays_.end())), asio::detached);
    } catch (...) {
      relays_.pop_back();
      throw;
    }
    make_room();
  }

  // As the files are now; none for plain HTTP.
  std::shared_ptr<TlsContext> tls_context() {
    if (!credentials_) return nullptr;
    if (!credentials_->refresh(std::chrono::steady_clock::now())) {
      options_.refreshed(credentials_->error());
    } else if (in_force_ != credentials_->context().get()) {
      if (in_force_ != nullptr) options_.refreshed("");
      in_force_ = credentials_->context().get();
    }
    return credentials_->context();
  }

  // Clients that are being answered keep their places: the turns at a worker limit their number. Of
  // the others, the address with the most loses one, the oldest of its larger group: those that
  // have begun with TLS, or those that have not. So neither kind can drive out the other.
  void make_room() {
    if (relays_.size() <= options_.most_waiting) return;
    struct Waiting {
      std::deque<HttpRelay*> silent, speaking;  // the oldest first
      std::size_t count() const { return silent.size() + speaking.size(); }
    };
    std::map<std::string_view, Waiting> waiting;
    std::size_t count = 0;
    for (const auto& relay : relays_) {
      if (relay->stage() == HttpRelay::Stage::kAnswered || !relay->is_open()) continue;
      Waiting& of_address = waiting[relay->address()];
      (relay->speaks_tls() ? of_address.speaking : of_address.silent).push_back(relay.get());
      ++count;
    }
    if (count <= options_.most_waiting) return;
    const Waiting& most = std::ranges::max_element(waiting, {}, [](const auto& one) {
                            return one.second.count();
                          })->second;
    (most.silent.size() >= most.speaking.size() ? most.silent : most.speaking).front()->close();
  }

  using Relays = std::list<std::shared_ptr<HttpRelay>>;

  asio::awaitable<void> serve(Relays::iterator relay) {
    const Relays::value_type& held = *relay;  // until it is erased
    try {
      co_await held->run();
    } catch (const std::exception& error) {
      options_.relay.troubled(error.what());
    }
    held->close();
    relays_.erase(relay);
    end_grace_if_empty();
  }

  void end_grace_if_empty() {
    if (stopping_ && relays_.empty()) grace_.cancel();
  }

  const HttpListenerOptions options_;
  std::shared_ptr<TlsCredentials> credentials_;
  const TlsContext* in_force_ = nullptr;  // only compared, to notice a change
  RelayedPorts& relayed_;
  AddressTurns workers_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer grace_;
  std::list<tcp::acceptor> acceptors_;
  std::vector<int> ports_;
  Relays relays_;
  bool stopping_ = false;
  std::thread thread_;
};

HttpListener::HttpListener(HttpListenerOptions options, std::shared_ptr<TlsCredentials> credentials,
                           RelayedPorts& ports)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(credentials), ports)) {}
HttpListener::~HttpListener() { impl_->stop(); }
const std::vector<int>& HttpListener::ports() const { return impl_->ports(); }
void HttpListener::replace(const std::shared_ptr<TlsCredentials>& credentials) {
  impl_->replace(credentials);
}
void HttpListener::stop_accepting() { impl_->stop_accepting(); }
void HttpListener::stop() { impl_->stop(); }

}  // namespace pgconn::exporter
