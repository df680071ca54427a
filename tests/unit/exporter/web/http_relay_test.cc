// What the listener does with clients, in plain HTTP. What is TLS's own is in
// http_listener_test.cc.
#include "exporter/web/http_relay.h"

#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/exporter/web/served.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

const std::string kQuestion = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr auto kOther = "127.0.0.2";  // another address of this machine

class Client {
 public:
  explicit Client(int port, const std::string& from = "127.0.0.1") : socket_(io_) {
    socket_.open(tcp::v4());
    socket_.bind({asio::ip::make_address(from), 0});
    socket_.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
  }

  Client& send(std::string_view bytes = kQuestion) {
    asio::write(socket_, asio::buffer(bytes));
    return *this;
  }
  Client& end() {
    socket_.shutdown(tcp::socket::shutdown_send);
    return *this;
  }
  // What comes until the other side closes.
  std::string answer() {
    std::string all;
    asio::error_code error;
    asio::read(socket_, asio::dynamic_buffer(all), error);
    return all;
  }

 private:
  asio::io_context io_;
  tcp::socket socket_;
};

using Clients = std::vector<std::unique_ptr<Client>>;

void connect(Clients& clients, int count, int port, const std::string& from = "127.0.0.1") {
  for (int i = 0; i < count; ++i) clients.push_back(std::make_unique<Client>(port, from));
}

Response here(const Request&) { return text("here"); }

// A page that is answered when the test says so.
class Slow {
 public:
  ~Slow() { release(); }
  Handler page() {
    return [this](const Request&) {
      released_.wait();
      return text("late");
    };
  }
  void release() {
    if (!std::exchange(is_released_, true)) promise_.set_value();
  }

 private:
  std::promise<void> promise_;
  std::shared_future<void> released_ = promise_.get_future().share();
  bool is_released_ = false;
};

void wait_until_asked(const Served& served, int count) {
  while (served.asked() < count) std::this_thread::yield();
}

TEST_CASE("clients that are slow with their heads hold no worker, and are answered in the end") {
  HttpListenerOptions options;
  options.relay.head_timeout = 1h;  // only a free worker can answer
  const Served served({{"/", here}}, std::move(options), Speaks::kPlain);
  Clients slow;
  connect(slow, 20, served.port());
  for (const auto& client : slow) client->send("GET / HTTP/1.1\r\nHost:");
  CHECK(Client(served.port()).send().answer().ends_with("here"));
  for (const char byte : std::string(" x\r\n\r\n")) slow[7]->send({&byte, 1});
  CHECK(slow[7]->answer().ends_with("here"));
}

TEST_CASE(
    "a client that is late with its head is told so, and a silent one is closed without an "
    "answer") {
  HttpListenerOptions options;
  options.relay.head_timeout = 100ms;
  const Served served({{"/", here}}, std::move(options), Speaks::kPlain);
  Client silent(served.port());
  CHECK(Client(served.port()).send("GET / HT").answer().starts_with("HTTP/1.1 408 "));
  CHECK(silent.answer().empty());
}

TEST_CASE("the oldest of the address with the most makes room, whichever address came first") {
  HttpListenerOptions options;
  options.relay.head_timeout = 1h;
  options.most_waiting = 3;
  const Served served({{"/", here}}, std::move(options), Speaks::kPlain);
  Client first(served.port());
  Clients many;
  connect(many, 3, served.port(), kOther);
  CHECK(many[0]->answer().empty());
  CHECK(first.send().answer().ends_with("here"));
  CHECK(many[2]->send().answer().ends_with("here"));
}

TEST_CASE("a client being answered never loses its place, unless it does not leave afterwards") {
  Slow slow;
  HttpListenerOptions options;
  options.relay.farewell_timeout = 1h;
  options.most_waiting = 2;
  const Served served({{"/", here}, {"/slow", slow.page()}}, std::move(options), Speaks::kPlain);
  Client answered(served.port());
  answered.send("GET /slow HTTP/1.1\r\n\r\n");
  wait_until_asked(served, 1);
  Clients staying;
  connect(staying, 10, served.port());
  for (std::size_t i = 8; i < 10; ++i) CHECK(staying[i]->send().answer().ends_with("here"));
  for (int i = 0; i < 10; ++i) CHECK(Client(served.port()).send().answer().ends_with("here"));
  slow.release();
  CHECK(answered.answer().ends_with("late"));
}

TEST_CASE("an address that has many requests leaves a worker to others") {
  Slow slow;
  Served served({{"/", here}, {"/slow", slow.page()}}, {}, Speaks::kPlain);
  Clients many;
  connect(many, 10, served.port(), kOther);
  for (const auto& client : many) client->send("GET /slow HTTP/1.1\r\n\r\n");
  wait_until_asked(served, 3);
  CHECK(Client(served.port()).send().answer().ends_with("here"));
  CHECK(served.asked() == 4);
  slow.release();
  for (const auto& client : many) CHECK(client->answer().ends_with("late"));
}

TEST_CASE("requests beyond those that may wait are told to come back") {
  Slow slow;
  HttpListenerOptions options;
  options.most_waiting = 2;
  const Served served({{"/slow", slow.page()}}, std::move(options), Speaks::kPlain);
  Clients many;
  for (int i = 0; i < 6; ++i) {
    many.push_back(std::make_unique<Client>(served.port()));
    many.back()->send("GET /slow HTTP/1.1\r\n\r\n");
  }
  CHECK(many[5]->answer().starts_with("HTTP/1.1 503 "));
  slow.release();
  for (int i = 0; i < 5; ++i) CHECK(many[i]->answer().ends_with("late"));
}

TEST_CASE("a client that has sent everything, and closed that direction, is answered") {
  const Served served({{"/", here}}, {}, Speaks::kPlain);
  CHECK(Client(served.port()).send().end().answer().ends_with("here"));
  CHECK(Client(served.port()).send("GET / HT").end().answer().empty());
}

TEST_CASE("a client that has left is forgotten at once, however it left") {
  HttpListenerOptions options;
  options.relay.farewell_timeout = 1h;
  const Served served({{"/", here}}, std::move(options), Speaks::kPlain);
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    CHECK(Client(served.port()).send().answer().ends_with("here"));
    CHECK(Client(served.port()).send().end().answer().ends_with("here"));
    Client(served.port()).send();
    Client(served.port()).send("GET / HT");
    const Client silent(served.port());
  }
  CHECK(descriptors_are_given_back(before));
}

TEST_CASE("pages know where a request comes from") {
  const Served served({{"/", [](const Request& request) { return text(request.client); }}}, {},
                      Speaks::kPlain);
  CHECK(Client(served.port()).send().answer().ends_with("\r\n\r\n127.0.0.1"));
  CHECK(Client(served.port(), kOther).send().answer().ends_with("\r\n\r\n127.0.0.2"));
}

TEST_CASE("a request to the server as a whole, and one as to a proxy, are answered") {
  const Served served({{"/", here}}, {}, Speaks::kPlain);
  const std::string options = Client(served.port()).send("OPTIONS * HTTP/1.1\r\n\r\n").answer();
  CHECK(options.starts_with("HTTP/1.1 405 "));
  CHECK(options.find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
  CHECK(Client(served.port())
            .send("GET http://other:1/ HTTP/1.1\r\n\r\n")
            .answer()
            .ends_with("here"));
  CHECK(Client(served.port()).send("GET * HTTP/1.1\r\n\r\n").answer().starts_with("HTTP/1.1 404 "));
  CHECK(Client(served.port())
            .send("CONNECT x:1 HTTP/1.1\r\n\r\n")
            .answer()
            .starts_with("HTTP/1.1 4"));
}

}  // namespace
}  // namespace pgconn::exporter
