#include "exporter/web/http_relay.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl/error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <utility>

#include "exporter/web/client_address.h"

// GCC 12 inlines Asio's operator new of a coroutine frame, and then reports its operator delete as
// mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::exporter {
namespace {

using asio::ip::tcp;

constexpr std::string_view kUseHttps =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "\r\nThis port speaks TLS: ask it with https://.\n";

constexpr int kSendBuffer = 64 * 1024;  // Linux doubles it, for its own needs

bool is_plain_http(const asio::error_code& error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST;
}

asio::ip::address address_of(const tcp::socket& client) {
  asio::error_code error;
  return unmapped(client.remote_endpoint(error).address());
}

}  // namespace

// A turn at a worker, from asking for it to its end.
class HttpRelay::WorkersTurn {
 public:
  explicit WorkersTurn(HttpRelay& relay) : workers_(relay.workers_) {
    turn_ = workers_.ask(relay.address_, [this, &relay](bool come) {
      come_ = come;
      relay.awaited_.notify();
    });
  }
  ~WorkersTurn() { workers_.leave(turn_); }
  WorkersTurn(const WorkersTurn&) = delete;
  WorkersTurn& operator=(const WorkersTurn&) = delete;

  // None: nothing is known yet.
  std::optional<bool> come() const { return come_; }

 private:
  AddressTurns& workers_;
  AddressTurns::Turn turn_ = 0;
  std::optional<bool> come_;
};

HttpRelay::HttpRelay(tcp::socket client, std::shared_ptr<TlsContext> tls,
                     const HttpRelayOptions& options, RelayedPorts& ports, AddressTurns& workers)
    : context_(std::move(tls)),
      options_(options),
      ports_(ports),
      workers_(workers),
      client_(std::move(client)),
      inner_(client_.get_executor()),
      address_(client_group(address_of(client_))),
      alarm_(client_.get_executor()),
      time_(client_.get_executor()),
      awaited_(time_) {
  if (context_) tls_.emplace(client_, context_->context);
  asio::error_code ignored;
  (void)client_.set_option(tcp::no_delay(true), ignored);
  // The kernel calls a socket writable only when a third of its buffer is free, and would let the
  // buffer grow to megabytes: a slow client could never take that much in time.
  (void)client_.set_option(tcp::socket::send_buffer_size(kSendBuffer), ignored);
}

asio::awaitable<void> HttpRelay::run() {
  const auto self = shared_from_this();
  bool goes_on = true;
  if (tls_) goes_on = co_await shake_hands();
  if (goes_on) goes_on = co_await read_head();
  if (goes_on) co_await bring_answer();
  stage_ = Stage::kLeaving;
  if (!head_.bytes().empty()) co_await say_farewell();
  close();
}

asio::awaitable<bool> HttpRelay::shake_hands() {
  arm(options_.head_timeout, &HttpRelay::leave_client);
  asio::error_code error;
  co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                 asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_return true;
  // A client that connects and leaves without sending anything is a port scan or a health check.
  // Not reported either if we closed it ourselves: it was late, or had to make room for another.
  if (!client_.is_open() || error == asio::error::eof ||
      error == asio::ssl::error::stream_truncated || error == asio::error::connection_reset) {
    co_return false;
  }
  if (is_plain_http(error)) {
    // For a person whose URL begins with http://.
    co_await asio::async_write(client_, asio::buffer(kUseHttps),
                               asio::redirect_error(asio::use_awaitable, error));
    co_await drain();
    co_return false;
  }
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  std::string reason = error.message();
  if (verdict != X509_V_OK) {
    reason += std::string(": ") + X509_verify_cert_error_string(verdict);
  }
  options_.failed_handshake(address_of(client_).to_string(), reason);
  co_return false;
}

bool HttpRelay::speaks_tls() {
  return tls_ && SSL_get_state(tls_->native_handle()) != TLS_ST_BEFORE;
}

asio::awaitable<bool> HttpRelay::read_head() {
  arm(options_.head_timeout, &HttpRelay::stop_reading);
  std::array<char, 2048> piece;
  bool wants_more = true;
  while (wants_more) {
    asio::error_code error;
    const std::size_t size = co_await read(asio::buffer(piece), error);
    if (error) break;
    wants_more = head_.add({piece.data(), size});
  }
  disarm();
  if (wants_more && is_late_ && !head_.bytes().empty()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.head_timeout);
    co_await refuse(408, "Request line and headers must arrive within " +
                             std::to_string(seconds.count()) + " s.\n");
  }
  co_return !wants_more;
}

asio::awaitable<void> HttpRelay::bring_answer() {
  stage_ = Stage::kAnswered;
  is_watched_ = true;
  asio::co_spawn(client_.get_executor(), watch_client(), asio::detached);
  const WorkersTurn turn(*this);
  while (!turn.come() && client_.is_open()) co_await awaited_.wait();
  const std::optional<bool> come = turn.come();  // none: the client has left
  if (come == true) co_await bring_answer_of_inner();
  if (come == false) co_await refuse(503, "Too many requests at once; come back later.\n");
}

asio::awaitable<void> HttpRelay::bring_answer_of_inner() {
  const bool connected = co_await connect_inner();
  if (!connected) {
    co_await refuse(503, "The exporter lacks the resources to answer; its log says which.\n");
    co_return;
  }
  const std::string head = with_plain_target(head_.bytes());
  asio::error_code ignored;  // if this fails, no answer comes either
  co_await asio::async_write(inner_, asio::buffer(head),
                             asio::redirect_error(asio::use_awaitable, ignored));
  co_await send_answer();
  leave_inner();
}

asio::awaitable<bool> HttpRelay::connect_inner() {
  const tcp::endpoint server(asio::ip::address_v4::loopback(),
                             static_cast<std::uint16_t>(options_.inner_port));
  asio::error_code error;
  co_await inner_.async_connect(server, asio::redirect_error(asio::use_awaitable, error));
  if (!client_.is_open()) co_return false;
  if (!error) (void)inner_.set_option(tcp::no_delay(true), error);
  if (!error) inner_port_ = inner_.local_endpoint(error).port();
  if (error) {
    options_.troubled("the exporter cannot ask its own HTTP server: " + error.message());
    co_return false;
  }
  // Registered before the first byte is sent, so before the HTTP server asks for it.
  ports_.add(inner_port_, address_);
  co_return true;
}

// To its end even if the client has left: until then a worker is busy with it.
asio::awaitable<void> HttpRelay::send_answer() {
  const auto answer = std::make_unique<Buffer>();
  for (;;) {
    asio::error_code error;
    const std::size_t size = co_await inner_.async_read_some(
        asio::buffer(*answer), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;  // usually the end
    if (!client_.is_open()) continue;
    arm(options_.stall_timeout, &HttpRelay::leave_client);
    co_await write(asio::buffer(answer->data(), size), error);
    disarm();
    if (error) leave_client();
  }
}

asio::awaitable<void> HttpRelay::refuse(int status, std::string_view body) {
  if (!client_.is_open()) co_return;
  const std::string answer = options_.refusal(status, body);
  arm(options_.farewell_timeout, &HttpRelay::leave_client);
  asio::error_code ignored;
  co_await write(asio::buffer(answer), ignored);
  disarm();
}

// A client that has gone keeps no place. In plain HTTP the end of its data does not prove that,
// since it may have closed that direction alone: then no worker begins with it, but one that has
// begun goes on. TLS has a message of its own for that.
asio::awaitable<void> HttpRelay::watch_client() {
  const auto self = shared_from_this();
  std::array<char, 1> unwanted;
  asio::error_code error;
  co_await read(asio::buffer(unwanted), error);
  const bool has_ended_tls = tls_ && error == asio::error::eof;
  if (has_ended_tls && stage_ == Stage::kAnswered) {
    co_await client_.async_read_some(asio::buffer(unwanted),
                                     asio::redirect_error(asio::use_awaitable, error));
  }
  is_watched_ = false;
  awaited_.notify();
  // Without an error it was a body, or another request: that is not read.
  if (!error || stage_ != Stage::kAnswered) co_return;
  if (tls_ || error != asio::error::eof || !inner_.is_open()) leave_client();
}

asio::awaitable<void> HttpRelay::end_watch() {
  asio::error_code ignored;
  if (is_watched_) (void)client_.cancel(ignored);
  while (is_watched_) co_await awaited_.wait();
}

asio::awaitable<void> HttpRelay::say_farewell() {
  co_await end_watch();
  if (!client_.is_open() || has_ended_) co_return;
  arm(options_.farewell_timeout, &HttpRelay::leave_client);
  asio::error_code error;
  if (tls_) {  // so that the client knows that the answer is complete
    co_await tls_->async_shutdown(asio::redirect_error(asio::use_awaitable, error));
  }
  has_ended_ = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
  if (!has_ended_) co_await drain();
}

// A socket closed with unread bytes is reset, and the client's kernel then drops what came before.
asio::awaitable<void> HttpRelay::drain() {
  if (!client_.is_open()) co_return;
  arm(options_.farewell_timeout, &HttpRelay::leave_client);
  asio::error_code error;
  (void)client_.shutdown(tcp::socket::shutdown_send, error);
  std::array<char, 512> unread;
  while (!error) {
    co_await client_.async_read_some(asio::buffer(unread),
                                     asio::redirect_error(asio::use_awaitable, error));
  }
}

asio::awaitable<std::size_t> HttpRelay::read(asio::mutable_buffer buffer, asio::error_code& error) {
  std::size_t size = 0;
  if (tls_) {
    size = co_await tls_->async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    size =
        co_await client_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
  }
  // The end of TLS alone is not yet the end of the connection.
  const bool only_tls = tls_ && error == asio::error::eof;
  if (error && error != asio::error::operation_aborted && !only_tls) has_ended_ = true;
  co_return size;
}

asio::awaitable<void> HttpRelay::write(asio::const_buffer buffer, asio::error_code& error) {
  if (tls_) {
    co_await asio::async_write(*tls_, buffer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await asio::async_write(client_, buffer, asio::redirect_error(asio::use_awaitable, error));
  }
}

void HttpRelay::arm(std::chrono::milliseconds patience, void (HttpRelay::*late)()) {
  const std::uint64_t alarm = ++alarms_;
  alarm_.expires_after(patience);
  alarm_.async_wait([self = shared_from_this(), alarm, late](const asio::error_code& error) {
    if (!error && alarm == self->alarms_) (*self.*late)();
  });
}

void HttpRelay::disarm() {
  ++alarms_;
  alarm_.cancel();
}

void HttpRelay::stop_reading() {
  is_late_ = true;
  asio::error_code ignored;
  (void)client_.cancel(ignored);
}

void HttpRelay::leave_client() {
  disarm();
  awaited_.notify();
  asio::error_code ignored;
  (void)client_.close(ignored);
}

void HttpRelay::leave_inner() {
  if (inner_port_ != 0) ports_.remove(inner_port_);
  inner_port_ = 0;
  asio::error_code ignored;
  (void)inner_.close(ignored);
}

void HttpRelay::close() {
  leave_client();
  leave_inner();
}

}  // namespace pgconn::exporter
