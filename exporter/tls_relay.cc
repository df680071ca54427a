#include "exporter/tls_relay.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl/error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <string_view>
#include <utility>

// GCC 12 inlines Asio's operator new of a coroutine frame, and then takes its operator delete for
// the wrong one.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::exporter {
namespace {

using asio::ip::tcp;

constexpr std::string_view kUseHttps =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "\r\nThis port speaks TLS: ask it with https://.\n";

constexpr int kSendBuffer = 64 * 1024;  // Linux takes it twice, for its own needs

bool is_plain_http(const asio::error_code& error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST;
}

// The head is whole, or the HTTP server will refuse it at once: it takes no control characters.
bool is_answerable(std::string_view head) {
  return head.find("\r\n\r\n") != std::string_view::npos ||
         head.find("\n\n") != std::string_view::npos ||
         std::ranges::any_of(head, [](unsigned char c) {
           return (c < ' ' && c != '\r' && c != '\n') || c == 0x7f;
         });
}

}  // namespace

TlsRelay::TlsRelay(tcp::socket client, std::shared_ptr<TlsContext> context,
                   const TlsRelayOptions& options, RelayedPorts& ports)
    : context_(std::move(context)),
      options_(options),
      ports_(ports),
      client_(std::move(client), context_->context),
      inner_(client_.get_executor()),
      alarm_(client_.get_executor()) {
  asio::error_code ignored;
  (void)client_.next_layer().set_option(tcp::no_delay(true), ignored);
  // The kernel calls a socket writable only when a third of its buffer is free, and would let the
  // buffer grow to megabytes: a slow client could never take that much in time.
  (void)client_.next_layer().set_option(tcp::socket::send_buffer_size(kSendBuffer), ignored);
}

asio::awaitable<void> TlsRelay::run() {
  const auto self = shared_from_this();
  const bool shaken = co_await shake_hands();
  if (!shaken) {
    close();
    co_return;
  }
  request_ = std::make_unique<Buffer>();
  arm(options_.handshake_timeout);
  const std::size_t size = co_await read_head();
  bool connected = false;
  is_answered_ = size > 0;
  if (is_answered_) connected = co_await connect_inner();
  if (connected) {
    disarm();
    asio::co_spawn(client_.get_executor(), send_request(size), asio::detached);
    co_await send_answer();
    leave_inner();
  }
  is_answered_ = false;
  co_await say_farewell();
  close();
}

// Only who has asked is connected: one that is slow or silent holds no worker of the HTTP server.
asio::awaitable<std::size_t> TlsRelay::read_head() {
  asio::error_code error;
  std::size_t size = 0;
  while (!is_answerable({request_->data(), size}) && size < request_->size()) {
    size += co_await client_.async_read_some(asio::buffer(*request_) + size,
                                             asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return 0;
  }
  co_return size;
}

asio::awaitable<bool> TlsRelay::shake_hands() {
  arm(options_.handshake_timeout);
  asio::error_code error;
  co_await client_.async_handshake(asio::ssl::stream_base::server,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_return true;
  if (!client_.next_layer().is_open()) co_return false;  // we closed it: late, or for another
  if (is_plain_http(error)) {
    co_await explain();
    co_return false;
  }
  // Who connects and leaves without a word is a port scan or a health check, and one of ours that
  // was closed is told of elsewhere.
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
      error == asio::error::operation_aborted || error == asio::error::connection_reset) {
    co_return false;
  }
  const long verdict = SSL_get_verify_result(client_.native_handle());
  std::string reason = error.message();
  if (verdict != X509_V_OK) {
    reason += std::string(": ") + X509_verify_cert_error_string(verdict);
  }
  options_.failed(peer(), reason);
  co_return false;
}

// To a person whose URL begins with http://.
asio::awaitable<void> TlsRelay::explain() {
  asio::error_code error;
  co_await asio::async_write(client_.next_layer(), asio::buffer(kUseHttps),
                             asio::redirect_error(asio::use_awaitable, error));
  co_await drain();
}

asio::awaitable<bool> TlsRelay::connect_inner() {
  const tcp::endpoint server(asio::ip::address_v4::loopback(),
                             static_cast<std::uint16_t>(options_.inner_port));
  asio::error_code error;
  co_await inner_.async_connect(server, asio::redirect_error(asio::use_awaitable, error));
  if (!client_.next_layer().is_open()) co_return false;
  if (error) {
    options_.failed(peer(), "the exporter cannot ask its own HTTP server: " + error.message());
    co_return false;
  }
  (void)inner_.set_option(tcp::no_delay(true), error);
  const int port = inner_.local_endpoint(error).port();
  if (error) co_return false;
  // Known before the first byte is sent, so before the HTTP server asks.
  inner_port_ = port;
  ports_.add(inner_port_, peer());
  co_return true;
}

asio::awaitable<void> TlsRelay::send_request(std::size_t size) {
  const auto self = shared_from_this();
  asio::error_code error;
  while (!error) {
    co_await asio::async_write(inner_, asio::buffer(*request_, size),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    size = co_await client_.async_read_some(asio::buffer(*request_),
                                            asio::redirect_error(asio::use_awaitable, error));
  }
  // Its TLS ended: it may still read. Its TCP alone: it is gone, and keeps no place.
  if (error != asio::error::eof) {
    close();
    co_return;
  }
  asio::error_code ignored;
  (void)inner_.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> TlsRelay::send_answer() {
  answer_ = std::make_unique<Buffer>();
  asio::error_code error;
  for (;;) {
    const std::size_t size = co_await inner_.async_read_some(
        asio::buffer(*answer_), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;  // the end, as a rule
    arm(options_.stall_timeout);
    co_await asio::async_write(client_, asio::buffer(*answer_, size),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    disarm();
  }
}

// TLS's own end, so that the client knows the answer to be whole.
asio::awaitable<void> TlsRelay::say_farewell() {
  if (!client_.next_layer().is_open()) co_return;
  arm(options_.farewell_timeout);
  asio::error_code error;
  co_await client_.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
  co_await drain();
}

// A socket closed with bytes unread is reset, and the client's kernel then forgets what came
// before.
asio::awaitable<void> TlsRelay::drain() {
  if (!client_.next_layer().is_open()) co_return;
  arm(options_.farewell_timeout);
  asio::error_code error;
  (void)client_.next_layer().shutdown(tcp::socket::shutdown_send, error);
  std::array<char, 512> unread;
  while (!error) {
    co_await client_.next_layer().async_read_some(asio::buffer(unread),
                                                  asio::redirect_error(asio::use_awaitable, error));
  }
}

std::string TlsRelay::peer() const {
  asio::error_code error;
  const tcp::endpoint endpoint = client_.next_layer().remote_endpoint(error);
  if (error) return "";
  const asio::ip::address address = endpoint.address();
  // A socket of both families shows IPv4 within IPv6.
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address.to_string();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
}

void TlsRelay::arm(std::chrono::milliseconds patience) {
  const std::uint64_t turn = ++turn_;
  alarm_.expires_after(patience);
  alarm_.async_wait([self = shared_from_this(), turn](const asio::error_code& error) {
    if (!error && turn == self->turn_) self->close();
  });
}

void TlsRelay::disarm() {
  ++turn_;
  alarm_.cancel();
}

void TlsRelay::leave_inner() {
  if (inner_port_ != 0) ports_.remove(inner_port_);
  inner_port_ = 0;
  asio::error_code ignored;
  (void)inner_.close(ignored);
}

void TlsRelay::close() {
  disarm();
  leave_inner();
  asio::error_code ignored;
  (void)client_.next_layer().close(ignored);
}

}  // namespace pgconn::exporter
