#include "tests/integration/stranger.h"

#include <atomic>
#include <random>

#include "tests/integration/servers.h"
#include "tests/support/catch.h"
#include "tests/support/environment.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using postgres::PgError;
using Clock = std::chrono::steady_clock;

// Sends `words` to each client, and then nothing more.
Stranger::Behaviour saying(std::string words, bool close) {
  return [words = std::move(words), close](Stranger::Line& line) {
    line.read();
    line.write(words);
    if (!close) line.read_until_closed();
  };
}

void check(const PgError& error, std::string_view phase, std::string_view reason) {
  CAPTURE(error.what());
  CHECK(to_string(error.phase()) == phase);
  CHECK(to_string(error.reason()) == reason);
  CHECK(error.fatal());
  CHECK(std::string_view(error.what()).size() < 700);
}

TEST_CASE("a peer that answers a connection with something else is reported as what it is") {
  Client client;
  SECTION("a web server, asked for TLS") {
    const Stranger web(saying("HTTP/1.1 400 Bad Request\r\n\r\n", true));
    check(client.refusal(web.dsn("sslmode=require")), "tls", "protocol");
  }
  SECTION("a web server, in plain text") {
    const Stranger web(saying("HTTP/1.1 400 Bad Request\r\n\r\n", true));
    check(client.refusal(web.dsn("sslmode=disable")), "startup", "protocol");
  }
  SECTION("one that closes at once") {
    const Stranger closing([](Stranger::Line&) {});
    for (const char* sslmode : {"sslmode=disable", "sslmode=require"}) {
      const PgError error = client.refusal(closing.dsn(sslmode));
      const std::string reason(to_string(error.reason()));
      CAPTURE(error.what());
      CHECK((reason == "closed" || reason == "reset"));
    }
  }
  SECTION("one that offers no TLS and more than that") {
    const Stranger talkative(saying("N" + flood_of("garbage"), false));
    check(client.refusal(talkative.dsn("sslmode=require")), "tls", "tls_unsupported");
  }
  SECTION("one that offers TLS and then speaks something else") {
    const Stranger fickle([](Stranger::Line& line) {
      line.read();
      line.write("S");
      line.read();
      line.write("not a handshake at all");
      line.read_until_closed();
    });
    check(client.refusal(fickle.dsn("sslmode=require")), "tls", "tls");
  }
  SECTION("one that answers the request for TLS with an error") {
    const Stranger failing(saying("Ecould not fork new process for connection\n\0"s, true));
    check(client.refusal(failing.dsn("sslmode=require")), "tls", "server_error");
  }
  SECTION("one whose error is binary and endless") {
    const Stranger binary(
        saying(message('E', "SFATAL\0C\x01\x02\0M"s + std::string(20000, '\xFF') + "\0\0"s), true));
    const PgError error = client.refusal(binary.dsn("sslmode=disable"));
    CHECK(error.fatal());
    CHECK(std::string_view(error.what()).size() < 700);
  }
  SECTION("one that asks for a way to log in that nobody knows") {
    const Stranger odd(saying(message('R', number32(4242)), false));
    check(client.refusal(odd.dsn("sslmode=disable")), "startup", "authentication");
  }
}

TEST_CASE("a password goes to the service that it belongs to, and to no other") {
  LibpqEnvironment environment;
  environment.write_services("[orders]\nuser=u\n[other]\npassword=hunter2\n");
  environment.set("PGSERVICE", "other");
  std::atomic<bool> sent = false;
  const Stranger curious([&sent](Stranger::Line& line) {
    line.read();
    line.write(message('R', number32(3)));  // asks for the password in plain text
    sent = line.read().find("hunter2") != std::string::npos;
  });
  Client client;
  SECTION("PGSERVICE is for targets that name no service") {
    client.refusal(curious.dsn("sslmode=disable"));
    CHECK(sent);
  }
  SECTION("an empty password is none, whatever the environment has") {
    environment.set("PGPASSWORD", "hunter2");
    const PgError error = client.refusal(curious.dsn("sslmode=disable password=''"));
    CHECK_FALSE(sent);
    CHECK(to_string(error.reason()) == "password_missing");
  }
  SECTION("the service of the connection string counts alone") {
    const PgError error = client.refusal(curious.dsn("sslmode=disable service=orders"));
    CHECK_FALSE(sent);
    CHECK(to_string(error.reason()) == "password_missing");
  }
}

TEST_CASE("random bytes end a connection attempt with an error, whatever they are") {
  Client client;
  for (unsigned seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::string bytes(random() % 2000 + 1, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Every third time the beginning is right and the rest is not.
    if (seed % 3 == 0) bytes = "R" + number32(8) + number32(0) + bytes;
    const Stranger noisy(saying(bytes, true));
    const PgError error =
        client.refusal(noisy.dsn(seed % 2 == 0 ? "sslmode=disable" : "sslmode=require"), 5s);
    CHECK(error.fatal());
  }
}

TEST_CASE("random bytes instead of an answer end the connection with an error") {
  Client client;
  for (unsigned seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::string bytes(random() % 2000 + 1, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string types = "123CDEGHIKNRSTVWZcdnst";
    if (seed % 2 == 0) {  // well-formed messages with nonsense in them
      std::string messages;
      for (std::size_t i = 0; i + 10 < bytes.size(); i += 10) {
        messages += message(types[random() % types.size()], bytes.substr(i, 10));
      }
      bytes = messages;
    }
    const Stranger noisy([bytes](Stranger::Line& line) {
      line.read();
      line.write(login());
      line.read();
      line.write(bytes);
    });
    const auto connection = client.connect(noisy.dsn("sslmode=disable"));
    const PgError error =
        error_of([&] { client.ask(*connection, {{"SELECT 1", "a"}, {"SELECT 2", ""}}, 5s); });
    CHECK(error.fatal());
    CHECK_FALSE(connection->is_open());
  }
}

TEST_CASE("an error whose SQLSTATE is none ends the connection, and is no label") {
  for (const std::string code : {"\x01\x02", "28p01", "28P011", "a-long-one-with-\"quotes\""}) {
    CAPTURE(code);
    const Stranger odd([code](Stranger::Line& line) {
      line.read();
      line.write(login());
      line.read();
      line.write(message('E', "SERROR\0VERROR\0C"s + code + "\0Mno\0\0"s) + message('Z', "I"));
      line.read_until_closed();
    });
    Client client;
    const auto connection = client.connect(odd.dsn("sslmode=disable"));
    // Its first answer is the setup's, whose errors do no harm.
    const PgError error = error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}, 5s); });
    CHECK(error.fatal());
    CHECK(error.sqlstate().empty());
  }
}

TEST_CASE("an unexpected COPY is an error, not an endless answer") {
  Client client;
  for (const char type : {'G', 'H', 'W'}) {
    CAPTURE(type);
    const Stranger copying([type](Stranger::Line& line) {
      line.read();
      line.write(login());
      line.read();
      line.write(message('1', "") + message('2', "") + message(type, "\0"s + number16(0)));
      line.read_until_closed();
    });
    const auto connection = client.connect(copying.dsn("sslmode=disable"));
    const PgError error = error_of([&] { client.ask(*connection, {{"SELECT 1", ""}}, 1s); });
    CHECK(error.fatal());
    CHECK_FALSE(connection->is_open());
  }
}

TEST_CASE("answers beyond those asked for end the connection with an error or do no harm") {
  Client client;
  const Stranger eager([](Stranger::Line& line) {
    line.read();
    line.write(login());
    line.read();
    for (int i = 0; i < 10; ++i) line.write(message('C', "SET\0"s) + message('Z', "I"));
    line.read_until_closed();
  });
  const auto connection = client.connect(eager.dsn("sslmode=disable"));
  try {
    const auto answers = client.ask(*connection, {{"SELECT 1", ""}, {"SELECT 2", ""}}, 1s);
    CHECK(answers.size() == 2);
  } catch (const PgError& error) {
    CHECK(error.fatal());
    CHECK_FALSE(connection->is_open());
  }
}

TEST_CASE("an answer that breaks off is a loss in the query, with what had arrived") {
  Client client;
  const std::string row =
      message('1', "") + message('2', "") +
      message('T', number16(1) + "a\0"s + number32(0) + number16(0) + number32(25) +
                       number16(0xFFFF) + number32(0xFFFFFFFF) + number16(0)) +
      message('D', number16(1) + number32(2) + "ok") + message('C', "SELECT 1\0"s) +
      message('Z', "I");
  const Stranger dying([row](Stranger::Line& line) {
    line.read();
    line.write(login());
    line.read();
    // The setup's answer, the first one, and half of the second.
    line.write(row + row + row.substr(0, row.size() / 2));
  });
  const auto connection = client.connect(dying.dsn("sslmode=disable"));
  const std::vector<postgres::Query> queries = {{"SELECT 1", ""}, {"SELECT 2", ""}};
  std::vector<postgres::Answer> answers;
  const PgError error =
      error_of([&] { run(client.io, connection->pipeline(queries, Clock::now() + 30s, answers)); });
  CHECK(to_string(error.phase()) == "query");
  // Closing without having read everything resets.
  const std::string reason(to_string(error.reason()));
  CHECK((reason == "closed" || reason == "reset"));
  REQUIRE(answers.size() == 1);
  CHECK(std::get<postgres::Rows>(answers[0]).at(0, 0) == postgres::Cell("ok"));
}

}  // namespace
}  // namespace pgconn::test
