#include "exporter/web/http_server.h"

#include <civetweb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <thread>

#include "exporter/web/civetweb_exchange.h"
#include "exporter/web/small_stacks.h"
#include "text/join.h"

namespace pgconn::exporter {
namespace {

constexpr int kMaxRequestBytes = 16 * 1024;

bool kernel_has_ipv6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// An address as civetweb's `listening_ports` wants it.
std::string civetweb_spec(const ListenAddress& address) {
  const std::string port = std::to_string(address.port);
  if (address.is_ipv6()) return "[" + address.host + "]:" + port;
  if (!address.host.empty()) return address.host + ":" + port;
  // "+" is one socket for both families. A kernel without IPv6 cannot make it.
  return mg_check_feature(MG_FEATURES_IPV6) != 0 && kernel_has_ipv6() ? "+" + port : port;
}

// civetweb says "cannot bind to SPEC: 98 (Address already in use)". 0 if there is no such number.
int errno_of(std::string_view complaint) {
  const std::size_t parenthesis = complaint.rfind(" (");
  const std::size_t colon = complaint.rfind(": ", parenthesis);
  int number = 0;
  if (parenthesis != std::string_view::npos && colon != std::string_view::npos) {
    std::from_chars(complaint.data() + colon + 2, complaint.data() + parenthesis, number);
  }
  return number;
}

std::string start_failure(const std::vector<ListenAddress>& addresses,
                          const std::vector<std::string>& complaints) {
  for (const std::string& complaint : complaints) {
    for (const ListenAddress& address : addresses) {
      if (complaint.find(" " + civetweb_spec(address) + ":") == std::string::npos) continue;
      return listen_failure(address, errno_of(complaint), complaint);
    }
  }
  std::string all = "cannot start the HTTP server:";
  for (const std::string& complaint : complaints) all += " " + complaint + ";";
  return all;
}

Response text_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

bool is_allowed(std::string_view method, bool changes) {
  return changes ? method == "POST" || method == "PUT" : method == "GET" || method == "HEAD";
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, Routes routes)
      : options_(std::move(options)), routes_(std::move(routes)) {
    static std::once_flag initialized;  // never undone: civetweb's global state is a few bytes
    std::call_once(initialized, [] { mg_init_library(MG_FEATURES_DEFAULT); });
    start();
  }

  void stop() {
    if (context_ == nullptr) return;
    {
      std::unique_lock lock(mutex_);
      stopping_ = true;
      // mg_stop cuts off an answer that is being written, so let them finish; a client that does
      // not read gets no more than its timeout.
      idle_.wait_for(lock, options_.request_timeout, [this] { return under_way_ == 0; });
    }
    {
      const std::jthread waker([this](const std::stop_token& stopped) { wake_until(stopped); });
      mg_stop(context_);
    }
    context_ = nullptr;
    ports_.clear();
  }

  const std::vector<int>& ports() const { return ports_; }

 private:
  // One request between its arrival and the end of its answer.
  class UnderWay {
   public:
    explicit UnderWay(Impl& server) : server_(server) {
      const std::lock_guard lock(server_.mutex_);
      ++server_.under_way_;
      stopping_ = server_.stopping_;
    }
    ~UnderWay() {
      const std::lock_guard lock(server_.mutex_);
      if (--server_.under_way_ == 0) server_.idle_.notify_all();
    }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;
    bool stopping() const { return stopping_; }

   private:
    Impl& server_;
    bool stopping_ = false;
  };

  void start() {
    std::string specs;
    for (const ListenAddress& address : options_.addresses) {
      specs += (specs.empty() ? "" : ",") + civetweb_spec(address);
    }
    const std::string threads = std::to_string(options_.threads);
    const std::string timeout = std::to_string(options_.request_timeout.count());
    const std::string request_size = std::to_string(kMaxRequestBytes);
    const char* settings[] = {"listening_ports", specs.c_str(), "num_threads", threads.c_str(),
                              "request_timeout_ms", timeout.c_str(), "max_request_size",
                              request_size.c_str(), "enable_keep_alive", "no", "tcp_nodelay", "1",
                              "decode_url", "no", "enable_directory_listing", "no",
                              // Any name that reaches us is accepted as Host.
                              "enable_auth_domain_check", "no", nullptr};
    mg_callbacks callbacks{};
    callbacks.begin_request = &on_request;
    callbacks.http_error = &on_http_error;
    callbacks.log_message = &on_log;
    {
      const SmallStacks small_stacks;
      context_ = mg_start(&callbacks, this, settings);
    }
    if (context_ == nullptr) {
      throw std::runtime_error(start_failure(options_.addresses, start_complaints_));
    }
    started_ = true;
    std::vector<mg_server_port> bound(options_.addresses.size());
    const int count = mg_get_server_ports(context_, static_cast<int>(bound.size()), bound.data());
    for (int i = 0; i < count; ++i) ports_.push_back(bound[static_cast<std::size_t>(i)].port);
  }

  // The accepting thread checks the stop flag only every 2 s or when a client connects: so connect.
  void wake_until(const std::stop_token& stopped) const {
    while (!ports_.empty() && !stopped.stop_requested()) {
      const int fd = start_connecting(options_.addresses.front(), ports_.front());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (fd >= 0) close(fd);
    }
  }

  std::string valid_paths() const { return text::joined(routes_ | std::views::keys); }

  Response answer(const Request& request, const Route& route) const {
    try {
      if (auto refusal = options_.refuse(request)) return *std::move(refusal);
      if (route.handler == nullptr) {
        return text_response(404, "No such path. This server has: " + valid_paths() + "\n");
      }
      if (!is_allowed(request.method, route.changes)) {
        const std::string allowed = route.changes ? "POST, PUT" : "GET, HEAD";
        Response response = text_response(405, "Allowed here: " + allowed + ".\n");
        response.headers.emplace_back("Allow", allowed);
        return response;
      }
      return (*route.handler)(request);
    } catch (const std::exception& error) {
      options_.failed(route.name, error.what());
    } catch (...) {
      options_.failed(route.name, "unknown exception");
    }
    return text_response(500, "Internal error while answering; the log has the reason.\n");
  }

  int serve(mg_connection* connection) {
    const UnderWay under_way(*this);
    // We need no request body; without this civetweb would read it to its end.
    mg_disable_connection_keep_alive(connection);
    auto client = client_of(connection);
    if (!client) return send_away(connection);
    Request request = read_request(*mg_get_request_info(connection));
    request.client = *std::move(client);
    const Route route = find_route(routes_, request.path);
    Response response = under_way.stopping() ? text_response(503, "The exporter is stopping.\n")
                                             : answer(request, route);
    const int status = response.status;
    send(connection, std::move(response), request.method != "HEAD", route.name);
    return status;
  }

  void send(mg_connection* connection, Response response, bool with_body,
            std::string_view path) const {
    const auto more = options_.headers();
    response.headers.insert(response.headers.end(), more.begin(), more.end());
    send_response(connection, response, with_body);
    options_.served(path, response.status);
  }

  std::optional<std::string> client_of(const mg_connection* connection) const {
    const mg_request_info& info = *mg_get_request_info(connection);
    return options_.client(info.remote_addr, info.remote_port);
  }

  int send_away(mg_connection* connection) const {
    send(connection, text_response(403, "This port is the exporter's own.\n"), true, kOtherPath);
    return 403;
  }

  static Impl& self(const mg_connection* connection) {
    return *static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
  }

  static int on_request(mg_connection* connection) noexcept {
    try {
      return self(connection).serve(connection);
    } catch (...) {  // out of memory; the connection is closed without an answer
      return 500;
    }
  }

  // Requests that civetweb itself refuses: unreadable, too large, too slow.
  static int on_http_error(mg_connection* connection, int status, const char*) noexcept {
    try {
      Impl& server = self(connection);
      const UnderWay under_way(server);
      const auto seconds =
          std::chrono::duration_cast<std::chrono::seconds>(server.options_.request_timeout).count();
      if (!server.client_of(connection)) {
        server.send_away(connection);
        return 0;
      }
      server.send(connection,
                  text_response(status,
                                "The request could not be read. Request line and headers together "
                                "may have at most 16 KiB and must arrive within " +
                                    std::to_string(seconds) + " s.\n"),
                  true, kOtherPath);
    } catch (...) {
      mg_disable_connection_keep_alive(connection);
    }
    return 0;
  }

  static int on_log(const mg_connection* connection, const char* message) noexcept {
    if (connection == nullptr) return 1;
    try {
      Impl& server = self(connection);
      if (server.started_) {
        server.options_.failed(kOtherPath, message);
      } else {
        server.start_complaints_.emplace_back(message);
      }
    } catch (...) {
      return 1;
    }
    return 1;
  }

  const HttpServerOptions options_;
  const Routes routes_;
  mg_context* context_ = nullptr;
  std::vector<int> ports_;
  std::vector<std::string> start_complaints_;  // written by the constructor's thread alone
  std::atomic<bool> started_ = false;
  std::mutex mutex_;
  std::condition_variable idle_;
  int under_way_ = 0;      // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
};

HttpServer::HttpServer(HttpServerOptions options, Routes routes)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(routes))) {}
HttpServer::~HttpServer() { impl_->stop(); }
void HttpServer::stop() { impl_->stop(); }
const std::vector<int>& HttpServer::ports() const { return impl_->ports(); }

}  // namespace pgconn::exporter
