// The handshake with peers that are not PostgreSQL, or one of another kind.
#include <openssl/ssl.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <ctime>
#include <exception>
#include <future>

#include "postgres/tls_handshake.h"
#include "tests/integration/certificates/tls_stranger.h"
#include "tests/integration/servers.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using postgres::ConnInfo;
using postgres::Endpoint;
using postgres::PgError;
using postgres::TlsHandshake;
using postgres::TlsStart;
using Clock = std::chrono::steady_clock;

IssuedCertificate certificate(const std::string& name, int rsa_bits = 0) {
  const std::int64_t now = std::time(nullptr);
  return issue({.common_name = name,
                .sans = "DNS:" + name,
                .not_before = now - 1000,
                .not_after = now + 1000,
                .rsa_bits = rsa_bits});
}

Endpoint endpoint_of(const std::string& dsn) { return ConnInfo::parse(dsn).endpoints().front(); }

TlsHandshake shake(const Endpoint& endpoint, TlsStart start = TlsStart::kRequest,
                   std::chrono::milliseconds time = Client::kPatience) {
  Client client;
  return run(client.io, tls_handshake(client.io.get_executor(), client.resolver, endpoint, start,
                                      Clock::now() + time));
}

TlsHandshake shake(const Stranger& stranger, TlsStart start = TlsStart::kRequest) {
  return shake(endpoint_of(stranger.dsn("")), start);
}

void check(const PgError& error, std::string_view phase, std::string_view reason) {
  CAPTURE(error.what());
  CHECK(to_string(error.phase()) == phase);
  CHECK(to_string(error.reason()) == reason);
  CHECK(error.fatal());
  CHECK(error.sqlstate().empty());
}

void check_refusal(const Endpoint& endpoint, std::string_view phase, std::string_view reason,
                   TlsStart start = TlsStart::kRequest,
                   std::chrono::milliseconds time = Client::kPatience) {
  check(error_of([&] { shake(endpoint, start, time); }), phase, reason);
}

// Answers SSLRequest with `words` and closes or waits.
Stranger::Behaviour answering(std::string words, bool close) {
  return [words = std::move(words), close](Stranger::Line& line) {
    line.read();
    line.write(words);
    if (!close) line.read_until_closed();
  };
}

TEST_CASE("a peer that never answers is a timeout in the phase it leaves us in") {
  SECTION("no answer to the connection") {
    const FullBacklog full;
    check_refusal(endpoint_of(full.dsn("")), "tcp", "timeout", TlsStart::kRequest, 1s);
  }
  SECTION("no answer to SSLRequest") {
    const Stranger silent(answering("", false));
    check_refusal(endpoint_of(silent.dsn("")), "tls", "timeout", TlsStart::kRequest, 1s);
  }
  SECTION("no answer to the handshake") {
    const Stranger silent(answering("S", false));
    check_refusal(endpoint_of(silent.dsn("")), "tls", "timeout", TlsStart::kRequest, 1s);
  }
  SECTION("a handshake that begins and does not go on") {
    const Stranger hesitant([](Stranger::Line& line) {
      line.read();
      line.write("S");
      line.read();
      line.write("\x16\x03\x03\x10"s);
      line.read_until_closed();
    });
    check_refusal(endpoint_of(hesitant.dsn("")), "tls", "timeout", TlsStart::kRequest, 1s);
  }
}

TEST_CASE("a peer that answers SSLRequest differently from PostgreSQL is reported as what it is") {
  struct Case {
    std::string words;
    std::string reason;
  };
  const std::vector<Case> cases = {
      {"N", "tls_unsupported"},
      {"N and more", "tls_unsupported"},
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"},
      {"Ecould not fork new process for connection\n\0"s, "server_error"},
      // Plain text behind the answer would be taken for the server's.
      {"S!", "protocol"},
      {std::string(60000, 'S'), "protocol"},
      {"\xFF", "protocol"},
  };
  for (const Case& odd : cases) {
    CAPTURE(odd.words.substr(0, 20));
    const Stranger stranger(answering(odd.words, false));
    check_refusal(endpoint_of(stranger.dsn("")), "tls", odd.reason);
  }
}

TEST_CASE("a peer that closes is a close, in the phase it closes in") {
  SECTION("after SSLRequest") {
    const Stranger closing(answering("", true));
    check_refusal(endpoint_of(closing.dsn("")), "tls", "closed");
  }
  SECTION("in the handshake") {
    const Stranger closing([](Stranger::Line& line) {
      line.read();
      line.write("S");
      line.read();
    });
    check_refusal(endpoint_of(closing.dsn("")), "tls", "closed");
  }
  SECTION("instead of direct TLS") {
    const Stranger closing([](Stranger::Line& line) { line.read(); });
    check_refusal(endpoint_of(closing.dsn("")), "tls", "closed", TlsStart::kDirect);
  }
}

TEST_CASE("a peer that offers TLS and speaks something else fails the handshake") {
  for (const std::string& words : {"garbage, and not a little of it"s, std::string(100000, '\x16'),
                                   "\x15\x03\x01\0\x02\x02\x46"s}) {
    const Stranger fickle([&words](Stranger::Line& line) {
      line.read();
      line.write("S");
      line.read();
      line.write(words);
      line.read_until_closed();
    });
    check_refusal(endpoint_of(fickle.dsn("")), "tls", "tls");
  }
}

TEST_CASE("where no server can be asked, the error says why") {
  check_refusal({"127.0.0.1", "", std::to_string(Stranger::unused_port())}, "tcp", "refused");
  check_refusal({"/var/run/postgresql", "", "5432"}, "tls", "tls_unsupported");
  check_refusal({"255.255.255.255", "", "5432"}, "tcp", "unreachable");
  for (const char* port : {"", "0", "65536", "5432x", "-1"}) {
    CAPTURE(port);
    check_refusal({"127.0.0.1", "", port}, "config", "config");
  }
}

TEST_CASE("an address that refuses does not hide the next one of the same name") {
  const Stranger stranger(shaking_hands({.chain = {certificate("db")}}));
  const Endpoint where = endpoint_of(stranger.dsn(""));
  Client client;
  postgres::Resolver two(client.io.get_executor(), [](const std::string&) {
    return postgres::Resolver::Answer{{"127.0.0.2", "127.0.0.1"}, ""};
  });
  const TlsHandshake seen =
      run(client.io, tls_handshake(client.io.get_executor(), two, {"db.test", "", where.port},
                                   TlsStart::kRequest, Clock::now() + Client::kPatience));
  CHECK(seen.address == "127.0.0.1");
  CHECK(seen.timings.resolve.has_value());
  CHECK(seen.chain.size() == 1);
}

TEST_CASE("a name is sent as server name, an address is not") {
  const auto sent = [](const std::string& host) {
    std::promise<std::string> name;
    auto arrived = name.get_future();
    const Stranger stranger(shaking_hands(
        {.chain = {certificate("db")},
         .on_server_name = [&name](const std::string& text) { name.set_value(text); }}));
    shake({host, "127.0.0.1", endpoint_of(stranger.dsn("")).port});
    return arrived.get();
  };
  CHECK(sent("db.example") == "db.example");
  CHECK(sent("db.example.") == "db.example");
  CHECK(sent("127.0.0.1").empty());
  CHECK(sent("::1").empty());
  CHECK(sent("").empty());
}

TEST_CASE("a server that insists on a client certificate is seen all the same") {
  const IssuedCertificate own = certificate("db");
  SECTION("TLS 1.3: the client is finished before the server refuses") {
    const Stranger strict(shaking_hands(
        {.chain = {own}, .insists_on_client_certificate = true, .version = TLS1_3_VERSION}));
    const TlsHandshake seen = shake(strict);
    CHECK(seen.chain == std::vector<std::string>{own.der});
    CHECK(seen.version == "TLSv1.3");
    CHECK_FALSE(seen.failure);
  }
  SECTION("TLS 1.2: it breaks off, after it has shown its certificate") {
    const Stranger strict(shaking_hands(
        {.chain = {own}, .insists_on_client_certificate = true, .version = TLS1_2_VERSION}));
    const TlsHandshake seen = shake(strict);
    CHECK(seen.chain == std::vector<std::string>{own.der});
    CHECK(seen.version.empty());
    REQUIRE(seen.failure);
    check(*seen.failure, "tls", "tls");
  }
}

TEST_CASE("the handshake succeeds even with a server that no client should trust") {
  const IssuedCertificate weak = certificate("db", 1024);
  const Stranger old(shaking_hands({.chain = {weak}, .version = TLS1_VERSION}));
  const TlsHandshake seen = shake(old);
  CHECK(seen.chain == std::vector<std::string>{weak.der});
  CHECK(seen.version == "TLSv1");
  CHECK_FALSE(seen.cipher.empty());
}

TEST_CASE("direct TLS requires ALPN: a peer that does not know it is seen and told apart") {
  const IssuedCertificate own = certificate("db");
  const Stranger web(shaking_hands({.chain = {own}, .direct = true}));
  const TlsHandshake seen = shake(web, TlsStart::kDirect);
  CHECK(seen.chain.size() == 1);
  REQUIRE(seen.failure);
  check(*seen.failure, "tls", "protocol");

  const Stranger postgresql(shaking_hands({.chain = {own}, .direct = true, .alpn = "postgresql"}));
  CHECK_FALSE(shake(postgresql, TlsStart::kDirect).failure);
}

TEST_CASE("a chain too long is cut, and one too large is refused") {
  const IssuedCertificate own = certificate("db");
  const Stranger chatty(shaking_hands({.chain = std::vector<IssuedCertificate>(40, own)}));
  CHECK(shake(chatty).chain.size() == postgres::kMaxPresentedCertificates);
  const Stranger huge(shaking_hands({.chain = std::vector<IssuedCertificate>(400, own)}));
  check_refusal(endpoint_of(huge.dsn("")), "tls", "tls");
}

TEST_CASE("a handshake that is cancelled ends at once, as stopped") {
  const Stranger silent(answering("S", false));
  Client client;
  asio::cancellation_signal signal;
  std::exception_ptr thrown;
  bool done = false;
  asio::co_spawn(
      client.io,
      tls_handshake(client.io.get_executor(), client.resolver, endpoint_of(silent.dsn("")),
                    TlsStart::kRequest, Clock::now() + Client::kPatience),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, TlsHandshake) {
        thrown = error;
        done = true;
      }));
  asio::steady_timer timer(client.io, 50ms);
  timer.async_wait([&](asio::error_code) { signal.emit(asio::cancellation_type::terminal); });
  const auto begin = Clock::now();
  while (!done && client.io.run_one() > 0) {
  }
  CHECK(Clock::now() - begin < Client::kPatience);
  check(error_of([&] {
          if (thrown) std::rethrow_exception(thrown);
        }),
        "tls", "stopped");
}

}  // namespace
}  // namespace pgconn::test
