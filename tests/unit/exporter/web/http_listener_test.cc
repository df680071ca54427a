#include "exporter/web/http_listener.h"

#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/exporter/web/served.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

class Client {
 public:
  // `buffer`: what its kernel may receive before it is read; 0: as it likes.
  explicit Client(int port, int buffer = 0) : stream_(io_, context_) {
    stream_.next_layer().open(tcp::v4());
    if (buffer > 0) stream_.next_layer().set_option(tcp::socket::receive_buffer_size(buffer));
    stream_.next_layer().connect(
        {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
  }

  Client& shake_hands() {
    stream_.handshake(asio::ssl::stream_base::client);
    return *this;
  }
  Client& ask(std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n") {
    asio::write(stream_, asio::buffer(request));
    return *this;
  }

  // What comes until TLS ends; without TLS's own end it throws.
  std::string answer() {
    std::string all;
    asio::error_code error;
    asio::read(stream_, asio::dynamic_buffer(all), error);
    if (error != asio::error::eof) throw std::runtime_error(error.message());
    return all;
  }

  std::string some(std::size_t size) {
    std::string piece(size, '\0');
    asio::read(stream_, asio::buffer(piece));
    return piece;
  }

  // Ends what it sends as a process that is killed does: without TLS's own end.
  Client& fall_silent() {
    stream_.next_layer().shutdown(tcp::socket::shutdown_send);
    return *this;
  }

  // Whether the other side closes without sending anything, within some seconds.
  bool is_closed() {
    std::string all;
    asio::error_code error;
    asio::read(stream_.next_layer(), asio::dynamic_buffer(all), error);
    return error == asio::error::eof || error == asio::error::connection_reset;
  }

 private:
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_client};
  asio::ssl::stream<tcp::socket> stream_;
};

TEST_CASE("a large answer arrives whole through TLS, and its end is TLS's own") {
  const std::string large(20 * 1024 * 1024, 'm');
  const Served served({{"/", [&](const Request&) { return text(large); }}});
  const std::string answer = Client(served.port()).shake_hands().ask().answer();
  CHECK(answer.starts_with("HTTP/1.1 200 "));
  CHECK(answer.size() > large.size());
  CHECK(answer.ends_with(std::string(1000, 'm')));
}

TEST_CASE("a client that takes nothing of its answer is given up after a while") {
  HttpListenerOptions options;
  options.relay.stall_timeout = 100ms;
  options.relay.farewell_timeout = 100ms;
  const std::string large(20 * 1024 * 1024, 'm');
  Served served({{"/", [&](const Request&) { return text(large); }}}, std::move(options));
  Client stalled(served.port());
  stalled.shake_hands().ask();
  std::this_thread::sleep_for(500ms);
  CHECK_THROWS(stalled.answer());
}

TEST_CASE("a client that takes its answer slowly but steadily gets all of it") {
  HttpListenerOptions options;
  options.relay.stall_timeout = 500ms;
  const std::string large(4 * 1024 * 1024, 'm');
  const Served served({{"/", [&](const Request&) { return text(large); }}}, std::move(options));
  Client slow(served.port(), 16 * 1024);
  slow.shake_hands().ask();
  // 32 KiB in 30 ms: a megabyte would take twice the time that the client has for what it is sent.
  std::string all;
  while (all.size() < large.size()) {
    all += slow.some(32 * 1024);
    std::this_thread::sleep_for(30ms);
  }
  all += slow.answer();
  CHECK(all.ends_with(std::string(1000, 'm')));
}

TEST_CASE("one connection that cannot be begun does not keep the next from it") {
  HttpListenerOptions options;
  options.refreshed = [](const std::string&) { throw std::bad_alloc(); };
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
  served.files.write_certificate("gone");
  CHECK(Client(served.port()).is_closed());
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
  CHECK(served.troubles == 1);
}

TEST_CASE("a silent client is closed at the deadline, before and after the handshake") {
  HttpListenerOptions options;
  options.relay.head_timeout = 100ms;
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  Client silent(served.port());
  Client shaken(served.port());
  shaken.shake_hands();
  CHECK(silent.is_closed());
  CHECK(shaken.is_closed());
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
}

TEST_CASE("when there is no room, the oldest client without a request is closed") {
  HttpListenerOptions options;
  options.relay.head_timeout = 1h;
  options.most_waiting = 3;
  Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 3; ++i) {
    silent.push_back(std::make_unique<Client>(served.port()));
    silent.back()->shake_hands();
  }
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
  CHECK(silent[0]->is_closed());
  CHECK(silent[2]->ask().answer().ends_with("here"));
}

TEST_CASE("those that never begin with TLS cannot drive out one that has, however many come") {
  HttpListenerOptions options;
  options.relay.head_timeout = 1h;
  options.most_waiting = 4;
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  Client shaken(served.port());
  shaken.shake_hands();
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(std::make_unique<Client>(served.port()));
  CHECK(silent[0]->is_closed());
  CHECK(silent[15]->is_closed());
  CHECK(shaken.ask().answer().ends_with("here"));
}

TEST_CASE("a client closed to make room during its handshake has not failed in it") {
  HttpListenerOptions options;
  options.relay.head_timeout = 1h;
  options.most_waiting = 1;
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  Client silent(served.port());
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
  CHECK(silent.is_closed());
  CHECK(served.failures == 0);
}

TEST_CASE(
    "a client that ends its connection without a word keeps no place, though its worker is still "
    "busy") {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  const Served served({{"/", [&](const Request&) {
                          released.wait();
                          return text("late");
                        }}});
  std::vector<std::unique_ptr<Client>> gone;
  for (int i = 0; i < 3; ++i) {
    gone.push_back(std::make_unique<Client>(served.port()));
    gone.back()->shake_hands().ask();
    while (served.asked() <= i) std::this_thread::yield();
    CHECK(gone.back()->fall_silent().is_closed());
  }
  Client next(served.port());  // of the address that has all the workers it may
  next.shake_hands().ask();
  CHECK(served.asked() == 3);
  release.set_value();
  CHECK(next.answer().ends_with("late"));
}

TEST_CASE(
    "a client that takes its answer and leaves, without TLS's own end, is forgotten at once") {
  HttpListenerOptions options;
  options.relay.farewell_timeout = 1h;
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) CHECK(Client(served.port()).shake_hands().ask().answer() != "");
  CHECK(descriptors_are_given_back(before));
}

TEST_CASE("stopping lets the answer under way arrive, and nothing else waits for it") {
  std::promise<void> entered;
  std::promise<void> release;
  Served served({{"/", [&](const Request&) {
                    entered.set_value();
                    release.get_future().wait();
                    return text("whole");
                  }}});
  Client asking(served.port());
  Client silent(served.port());
  asking.shake_hands().ask();
  entered.get_future().wait();
  served.listener->stop_accepting();
  CHECK(silent.is_closed());
  release.set_value();
  CHECK(asking.answer().ends_with("whole"));
  served.listener->stop();
  CHECK_NOTHROW(served.listener->stop());
}

TEST_CASE("stopping ends even those that are being answered forever") {
  std::promise<void> release;
  Served served({{"/", [&](const Request&) {
                    release.get_future().wait();
                    return text("late");
                  }}});
  Client asking(served.port());
  asking.shake_hands().ask();
  const auto begin = std::chrono::steady_clock::now();
  served.listener->stop();
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
  release.set_value();
}

TEST_CASE("a busy address is refused as the HTTP server refuses it") {
  const TlsFiles files;
  RelayedPorts ports;
  asio::io_context io;
  tcp::acceptor busy(io, {asio::ip::address_v4::loopback(), 0});
  HttpListenerOptions options;
  const std::string address = "127.0.0.1:" + std::to_string(busy.local_endpoint().port());
  options.addresses = {parse_listen_address(address)};
  CHECK_THROWS_WITH(
      HttpListener(std::move(options), std::make_shared<TlsCredentials>(files.settings()), ports),
      "cannot listen on " + address +
          ": Address already in use; another process listens there; stop it or choose another "
          "address with --web.listen-address");
}

}  // namespace
}  // namespace pgconn::exporter
