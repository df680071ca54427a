#include "exporter/tls_listener.h"

#include <sys/resource.h>

#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "exporter/http_server.h"
#include "tests/support/catch.h"
#include "tests/support/issued_certificate.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

// A certificate and its key in files that end with it.
class Files {
 public:
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "tls-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory");
    directory_ = name;
    const std::int64_t now = std::time(nullptr);
    const auto made = test::issue({.common_name = "localhost",
                                   .sans = "DNS:localhost",
                                   .not_before = now - 3600,
                                   .not_after = now + 3600});
    std::ofstream(directory_ / "a.crt") << made.pem;
    std::ofstream(directory_ / "a.key") << made.key_pem;
  }
  ~Files() { std::filesystem::remove_all(directory_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(directory_ / name) << content;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(directory_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  config::WebTls settings() const {
    config::WebTls tls;
    tls.cert_file = directory_ / "a.crt";
    tls.key_file = directory_ / "a.key";
    return tls;
  }

 private:
  std::filesystem::path directory_;
};

// The HTTP server behind a listener.
class Served {
 public:
  explicit Served(Routes routes, TlsListenerOptions options = {})
      : http_(http_options(), std::move(routes)) {
    options.addresses = {parse_listen_address("127.0.0.1:0")};
    options.relay.inner_port = http_.ports().at(0);
    options.relay.failed = [this](const std::string&, const std::string&) { ++failures; };
    if (!options.refreshed) options.refreshed = [](const std::string&) {};
    listener.emplace(std::move(options), std::make_shared<TlsCredentials>(files.settings()),
                     ports_);
  }

  int port() const { return listener->ports().at(0); }

  const Files files;
  std::atomic<int> failures = 0;

 private:
  HttpServerOptions http_options() {
    HttpServerOptions options;
    options.addresses = {parse_listen_address("127.0.0.1:0")};
    options.threads = 4;
    options.request_timeout = 2s;
    options.welcomes = [this](std::string_view address, int port) {
      return ports_.has(address, port);
    };
    return options;
  }

  RelayedPorts ports_;
  HttpServer http_;

 public:
  std::optional<TlsListener> listener;
};

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

  // Whether the other side closes without a word, within some seconds.
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

// While it lives, no file can be opened.
class NoFileDescriptors {
 public:
  NoFileDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFileDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFileDescriptors(const NoFileDescriptors&) = delete;
  NoFileDescriptors& operator=(const NoFileDescriptors&) = delete;

 private:
  rlimit before_{};
};

Response text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

TEST_CASE("a large answer arrives whole through TLS, and its end is TLS's own") {
  const std::string large(20 * 1024 * 1024, 'm');
  const Served served({{"/", [&](const Request&) { return text(large); }}});
  const std::string answer = Client(served.port()).shake_hands().ask().answer();
  CHECK(answer.starts_with("HTTP/1.1 200 "));
  CHECK(answer.size() > large.size());
  CHECK(answer.ends_with(std::string(1000, 'm')));
}

TEST_CASE("a client that takes nothing of its answer is left after a while") {
  TlsListenerOptions options;
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
  TlsListenerOptions options;
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
  TlsListenerOptions options;
  options.refreshed = [](const std::string&) { throw std::bad_alloc(); };
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
  served.files.write("a.crt", "gone");
  CHECK(Client(served.port()).is_closed());
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
  CHECK(served.failures == 1);
}

TEST_CASE("files that could not be read are tried again, and told of once") {
  const Files files;
  TlsCredentials credentials(files.settings());
  const auto first = credentials.context();
  const std::string certificate = files.read("a.crt");
  const std::chrono::steady_clock::time_point begin{};
  files.write("a.crt", "gone");
  CHECK_FALSE(credentials.refresh(begin));
  CHECK(credentials.error().find("a.crt") != std::string::npos);
  CHECK(credentials.refresh(begin + 1s));
  CHECK(credentials.refresh(begin + 20s));
  CHECK(credentials.context() == first);
  files.write("a.crt", certificate);
  CHECK(credentials.refresh(begin + 21s));
  CHECK(credentials.context() != first);
  CHECK(credentials.error().empty());
}

TEST_CASE("files that could not be read for a reason of ours are read later, though unchanged") {
  const Files files;
  TlsCredentials credentials(files.settings());
  const auto first = credentials.context();
  const std::chrono::steady_clock::time_point begin{};
  files.write("a.crt", files.read("a.crt"));
  {
    const NoFileDescriptors none;
    CHECK_FALSE(credentials.refresh(begin));
  }
  CHECK(credentials.refresh(begin + 9s));
  CHECK(credentials.context() == first);
  CHECK(credentials.refresh(begin + 10s));
  CHECK(credentials.context() != first);
}

TEST_CASE("who connects and is silent is closed at the deadline, before and after the handshake") {
  TlsListenerOptions options;
  options.relay.handshake_timeout = 100ms;
  const Served served({{"/", [](const Request&) { return text("here"); }}}, std::move(options));
  Client silent(served.port());
  Client shaken(served.port());
  shaken.shake_hands();
  CHECK(silent.is_closed());
  CHECK(shaken.is_closed());
  CHECK(Client(served.port()).shake_hands().ask().answer().ends_with("here"));
}

TEST_CASE("when there is no room, the oldest of those that have not asked makes way") {
  TlsListenerOptions options;
  options.relay.handshake_timeout = 1h;
  options.most_connections = 3;
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

TEST_CASE("stopping lets the answer under way arrive, and nobody else waits for it") {
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

TEST_CASE("stopping ends even those that are being answered for ever") {
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
  const Files files;
  RelayedPorts ports;
  asio::io_context io;
  tcp::acceptor busy(io, {asio::ip::address_v4::loopback(), 0});
  TlsListenerOptions options;
  const std::string address = "127.0.0.1:" + std::to_string(busy.local_endpoint().port());
  options.addresses = {parse_listen_address(address)};
  CHECK_THROWS_WITH(
      TlsListener(std::move(options), std::make_shared<TlsCredentials>(files.settings()), ports),
      "cannot listen on " + address +
          ": Address already in use; another process listens there; stop it or choose another "
          "address with --web.listen-address");
}

}  // namespace
}  // namespace pgconn::exporter
