#include "exporter/web/http_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <stdexcept>

#include "tests/support/catch.h"

namespace pgconn::exporter {
namespace {

using namespace std::chrono_literals;

// A client's socket, connected to the server's first port on 127.0.0.1.
class Client {
 public:
  explicit Client(int port) : fd_(start_connecting(parse_listen_address("127.0.0.1:0"), port)) {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&writable, 1, 10000) != 1) throw std::runtime_error("cannot connect");
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // Everything until the server closes. An answer that does not end throws.
  std::string receive() const {
    std::string all;
    for (;;) {
      pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
      if (poll(&readable, 1, 20000) != 1) throw std::runtime_error("no end of the answer");
      char buffer[4096];
      const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
      if (count <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  int fd_;
};

std::string ask(int port, const std::string& request) {
  const Client client(port);
  client.send(request);
  return client.receive();
}

std::string get(int port, const std::string& path) {
  return ask(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

bool has_status(const std::string& answer, const std::string& status) {
  return answer.rfind("HTTP/1.1 " + status, 0) == 0;
}

bool has_line(const std::string& answer, const std::string& header) {
  return answer.find("\r\n" + header + "\r\n") != std::string::npos;
}

Response text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

HttpServerOptions local_options() {
  HttpServerOptions options;
  options.addresses = {parse_listen_address("127.0.0.1:0")};
  return options;
}

Response echo(const Request& request) {
  return text(request.method + " " + request.path + " " +
              request.parameter("target").value_or("none") + " " +
              std::string(request.header("ACCEPT")));
}

TEST_CASE("a route answers GET with its body, its length and the standing headers") {
  const HttpServer server(local_options(), {{"/metrics", [](const Request&) {
                                               Response response = text("pgconn_up 1\n");
                                               response.content_type = "text/plain; version=0.0.4";
                                               response.headers = {{"Content-Encoding", "gzip"}};
                                               return response;
                                             }}});
  const std::string answer = get(server.ports().at(0), "/metrics");
  CHECK(has_status(answer, "200 OK"));
  CHECK(has_line(answer, "Content-Type: text/plain; version=0.0.4"));
  CHECK(has_line(answer, "Content-Length: 12"));
  CHECK(has_line(answer, "Content-Encoding: gzip"));
  CHECK(has_line(answer, "Connection: close"));
  CHECK(has_line(answer, "X-Content-Type-Options: nosniff"));
  CHECK(body_of(answer) == "pgconn_up 1\n");
}

TEST_CASE("HEAD answers as GET does, without the body") {
  const HttpServer server(local_options(), {{"/", echo}});
  const std::string answer = ask(server.ports().at(0), "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(has_status(answer, "200 OK"));
  CHECK(has_line(answer, "Content-Length: 12"));  // "HEAD / none "
  CHECK(body_of(answer).empty());
}

TEST_CASE("handlers get the decoded path, query and headers") {
  const HttpServer server(local_options(), {{"/a b", echo}});
  const std::string answer = ask(server.ports().at(0),
                                 "GET /a%20b?x=1&target=orders+%2B%26%20more HTTP/1.1\r\n"
                                 "accept: text/plain\r\nAccept: text/html\r\n\r\n");
  CHECK(body_of(answer) == "GET /a b orders +& more text/plain, text/html");
}

TEST_CASE("only exact paths are served; every other is 404 and told which paths there are") {
  const HttpServer server(local_options(), {{"/", echo}, {"/metrics", echo}});
  const std::string path = GENERATE("/metrics/", "/metricsx", "/metric", "//", "/metrics%00",
                                    "/./metrics", "/x/../metrics", "/..%2f..%2fetc/passwd");
  const std::string answer = get(server.ports().at(0), path);
  CHECK(has_status(answer, "404 Not Found"));
  CHECK(body_of(answer) == "No such path. This server has: /, /metrics\n");
}

TEST_CASE("an absolute URI of the same path is the same path") {
  const HttpServer server(local_options(), {{"/metrics", echo}});
  const std::string host = "http://localhost:" + std::to_string(server.ports().at(0));
  const std::string answer = get(server.ports().at(0), host + "/metrics?target=a");
  CHECK(body_of(answer) == "GET /metrics a ");
}

TEST_CASE("other methods are 405 and told which are allowed, even with a body on its way") {
  const HttpServer server(local_options(), {{"/", echo}});
  const std::string method = GENERATE("POST", "PUT", "DELETE", "OPTIONS", "PATCH");
  const std::string answer =
      ask(server.ports().at(0), method + " / HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\nabc");
  CHECK(has_status(answer, "405 Method Not Allowed"));
  CHECK(has_line(answer, "Allow: GET, HEAD"));
}

TEST_CASE("a handler that throws becomes a 500 without its message, and the server keeps running") {
  std::mutex mutex;
  std::vector<std::string> failures;
  HttpServerOptions options = local_options();
  options.failed = [&](std::string_view path, std::string_view reason) {
    const std::lock_guard lock(mutex);
    failures.push_back(std::string(path) + ": " + std::string(reason));
  };
  HttpServer server(
      std::move(options),
      {{"/", echo},
       {"/bad", [](const Request&) -> Response { throw std::runtime_error("secret"); }},
       {"/worse", [](const Request&) -> Response { throw 42; }}});
  const int port = server.ports().at(0);
  const std::string answer = get(port, "/bad");
  CHECK(has_status(answer, "500 Internal Server Error"));
  CHECK(answer.find("secret") == std::string::npos);
  CHECK(has_status(get(port, "/worse"), "500"));
  CHECK(has_status(get(port, "/"), "200"));
  server.stop();
  CHECK(failures == std::vector<std::string>{"/bad: secret", "/worse: unknown exception"});
}

TEST_CASE("each answer is reported with its route, and everything else as other") {
  std::mutex mutex;
  std::vector<std::pair<std::string, int>> served;
  HttpServerOptions options = local_options();
  options.served = [&](std::string_view path, int status) {
    const std::lock_guard lock(mutex);
    served.emplace_back(path, status);
  };
  HttpServer server(std::move(options), {{"/metrics", echo}});
  const int port = server.ports().at(0);
  get(port, "/metrics?target=a");
  get(port, "/attacker-chosen");
  ask(port, "POST /metrics HTTP/1.1\r\n\r\n");
  ask(port, "no request at all\r\n\r\n");
  server.stop();
  CHECK(served == std::vector<std::pair<std::string, int>>{
                      {"/metrics", 200}, {"other", 404}, {"/metrics", 405}, {"other", 400}});
}

TEST_CASE("a malformed or too large request is a 4xx, and the server keeps running") {
  const HttpServer server(local_options(), {{"/", echo}});
  const int port = server.ports().at(0);
  const std::string large(20000, 'x');
  const std::string request = GENERATE_COPY(
      std::string("GET / HTTP/1.1\r\nX-Large: " + large + "\r\n\r\n"),
      std::string("GET /" + large + " HTTP/1.1\r\n\r\n"), std::string("\x16\x03\x01 tls?\r\n\r\n"),
      std::string("FOO / HTTP/1.1\r\n\r\n"), std::string("GET /\r\n\r\n"),
      std::string("GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n"));
  const std::string answer = ask(port, request);
  CHECK(has_status(answer, "4"));
  CHECK(has_line(answer, "Connection: close"));
  CHECK(has_status(get(port, "/"), "200"));
}

TEST_CASE("a refusal replaces the answer of every page, and headers are on every answer") {
  HttpServerOptions options = local_options();
  options.refuse = [](const Request& request) -> std::optional<Response> {
    if (request.path != "/") return std::nullopt;
    Response refusal = text("no\n");
    refusal.status = 401;
    return refusal;
  };
  options.headers = [] {
    return std::vector<std::pair<std::string, std::string>>{{"X-Frame-Options", "deny"}};
  };
  const HttpServer server(std::move(options), {{"/", echo}, {"/open", echo}});
  const int port = server.ports().at(0);
  CHECK(has_status(get(port, "/"), "401"));
  CHECK(has_status(ask(port, "POST / HTTP/1.1\r\n\r\n"), "401"));
  for (const std::string path : {"/", "/open", "/nowhere"}) {
    CHECK(has_line(get(port, path), "X-Frame-Options: deny"));
  }
  CHECK(has_line(ask(port, "no request at all\r\n\r\n"), "X-Frame-Options: deny"));
}

TEST_CASE("a client of unknown origin is sent away whatever it sends") {
  HttpServerOptions options = local_options();
  std::string address;
  options.client = [&](std::string_view from, int) {
    address = from;
    return std::nullopt;
  };
  const HttpServer server(std::move(options), {{"/", echo}});
  const std::string request = GENERATE("GET / HTTP/1.1\r\n\r\n", "no request at all\r\n\r\n");
  CHECK(has_status(ask(server.ports().at(0), request), "403 Forbidden"));
  CHECK(address == "127.0.0.1");
}

TEST_CASE("a large body arrives whole") {
  const std::string large(20 * 1024 * 1024, 'm');
  const HttpServer server(local_options(), {{"/", [&](const Request&) { return text(large); }}});
  CHECK(body_of(get(server.ports().at(0), "/")) == large);
}

TEST_CASE("a busy port is refused with the address, the reason and what to do") {
  const HttpServer first(local_options(), {{"/", echo}});
  const std::string busy = "127.0.0.1:" + std::to_string(first.ports().at(0));
  HttpServerOptions options;
  options.addresses = {parse_listen_address("127.0.0.1:0"), parse_listen_address(busy)};
  CHECK_THROWS_WITH(HttpServer(options, {{"/", echo}}),
                    "cannot listen on " + busy +
                        ": Address already in use; another process listens there; stop it or "
                        "choose another address with --web.listen-address");
  CHECK(has_status(get(first.ports().at(0), "/"), "200"));
}

TEST_CASE("an address this machine does not have is refused by name") {
  HttpServerOptions options;
  options.addresses = {parse_listen_address("192.0.2.1:0")};
  CHECK_THROWS_WITH(HttpServer(options, {{"/", echo}}),
                    Catch::Matchers::StartsWith(
                        "cannot listen on 192.0.2.1:0: Cannot assign requested address; "));
}

TEST_CASE("every address is listened on, and without a host all of them") {
  HttpServerOptions options;
  options.addresses = {parse_listen_address(":0"), parse_listen_address("127.0.0.1:0")};
  const HttpServer server(std::move(options), {{"/", echo}});
  REQUIRE(server.ports().size() == 2);
  CHECK(has_status(get(server.ports().at(0), "/"), "200"));
  CHECK(has_status(get(server.ports().at(1), "/"), "200"));
}

TEST_CASE("half-open clients do not delay a healthy one") {
  HttpServerOptions options = local_options();
  options.request_timeout = 1h;  // only free workers can answer
  HttpServer server(std::move(options), {{"/", echo}});
  std::vector<std::unique_ptr<Client>> half_open;
  for (int i = 0; i < 30; ++i) {
    half_open.push_back(std::make_unique<Client>(server.ports().at(0)));
    if (i % 2 == 0) half_open.back()->send("GET / HTTP/1.1\r\nHost:");
  }
  CHECK(has_status(get(server.ports().at(0), "/"), "200"));
  half_open.front()->send(" localhost\r\n\r\n");
  CHECK(has_status(half_open.front()->receive(), "200"));
  half_open.clear();
}

TEST_CASE("half-open clients in every worker are sent away when their time is over") {
  HttpServerOptions options = local_options();
  options.threads = 2;
  options.request_timeout = 100ms;
  const HttpServer server(std::move(options), {{"/", echo}});
  const Client silent(server.ports().at(0));
  const Client slow(server.ports().at(0));
  slow.send("GET / HT");
  CHECK(has_status(get(server.ports().at(0), "/"), "200"));
  CHECK(silent.receive().empty());
  CHECK(has_status(slow.receive(), "400"));
}

TEST_CASE("thirty requests are answered at once") {
  constexpr int kClients = 30;
  std::latch all_inside(kClients);  // opens only when all handlers run at the same time
  const HttpServer server(local_options(), {{"/", [&](const Request&) {
                                               all_inside.arrive_and_wait();
                                               return text("together");
                                             }}});
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < kClients; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return get(server.ports().at(0), "/"); }));
  }
  for (auto& answer : answers) CHECK(body_of(answer.get()) == "together");
}

TEST_CASE("stopping lets the answer under way finish and refuses new ones") {
  std::promise<void> entered;
  std::promise<void> release;
  HttpServerOptions options = local_options();
  options.request_timeout = 1h;
  HttpServer server(std::move(options), {{"/slow",
                                          [&](const Request&) {
                                            entered.set_value();
                                            release.get_future().wait();
                                            return text(std::string(1 << 20, 'x'));
                                          }},
                                         {"/", echo}});
  const int port = server.ports().at(0);
  auto slow = std::async(std::launch::async, [&] { return get(port, "/slow"); });
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server.stop(); });
  std::string answer = get(port, "/");
  while (has_status(answer, "200")) answer = get(port, "/");  // until stop() has begun
  CHECK(has_status(answer, "503"));
  release.set_value();
  CHECK(body_of(slow.get()).size() == 1 << 20);
  stopped.get();
  CHECK(server.ports().empty());
  CHECK_NOTHROW(server.stop());
}

}  // namespace
}  // namespace pgconn::exporter
