// Several hosts, or several addresses of one: a silent one costs its share of the time, no more.
#include <future>
#include <thread>

#include "tests/integration/servers.h"
#include "tests/integration/stranger.h"
#include "tests/support/catch.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using postgres::PgError;
using postgres::Resolver;

void check_timeout(const PgError& error, std::string_view phase) {
  CAPTURE(error.what());
  CHECK(to_string(error.phase()) == phase);
  CHECK(to_string(error.reason()) == "timeout");
}

// This machine, once for each port.
std::string hosts(const std::vector<std::string>& ports) {
  std::string names, addresses, list;
  for (const std::string& port : ports) {
    const std::string separator = list.empty() ? "" : ",";
    names += separator + "localhost";
    addresses += separator + "127.0.0.1";
    list += separator + port;
  }
  return "host=" + names + " hostaddr=" + addresses + " port=" + list;
}

// How patient a client is does not depend on the server's version.
const Server& newest() {
  REQUIRE_FALSE(servers().empty());
  return servers().back();
}

TEST_CASE("a host that swallows packets leaves time for the next one") {
  const Server& server = newest();
  const FullBacklog hole;
  Client client;
  const std::string dsn = server.with(hosts({std::to_string(hole.port()), server.port}));
  const auto connection = client.connect(dsn, {"test"}, 6s);
  CHECK(connection->port() == server.port);
  CHECK(client.value(*connection, "SELECT 'alive'") == "alive");
  CHECK(connection->timings().total >= 3s);
  CHECK(*connection->timings().tcp < 3s);  // of the one that answered
}

TEST_CASE("so does a host that accepts connections and says nothing, in whatever phase") {
  const Server& server = newest();
  const Stranger silent([](Stranger::Line& line) { line.read_until_closed(); });
  for (const char* sslmode : {" sslmode=disable", " sslmode=verify-full"}) {
    CAPTURE(sslmode);
    Client client;
    const std::string dsn = server.with(hosts({std::to_string(silent.port()), server.port}));
    CHECK(client.connect(dsn + sslmode, {"test"}, 6s)->port() == server.port);
  }
}

TEST_CASE("hosts that are slow to log in but alive are not left for the next one") {
  const auto slow = [](Stranger::Line& line) {
    line.read();
    std::this_thread::sleep_for(700ms);
    line.write(login());
    line.read_until_closed();
  };
  const Stranger first(slow);
  std::vector<std::string> ports = {std::to_string(first.port())};
  while (ports.size() < 8) ports.push_back(std::to_string(Stranger::unused_port()));
  Client client;
  // Its share would have been half a second.
  const auto connection = client.connect(hosts(ports) + " user=u sslmode=disable", {"test"}, 4s);
  CHECK(connection->port() == ports.front());
}

TEST_CASE("the search for a standby comes back to a primary when another host is silent") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      const FullBacklog hole;
      Client client;
      const std::string dsn = server.with(hosts({server.port, std::to_string(hole.port())}) +
                                          " target_session_attrs=prefer-standby");
      CHECK(client.connect(dsn, {"test"}, 6s)->port() == server.port);
    }
  }
}

TEST_CASE("when no host answers, the error at the deadline is the last one's") {
  const FullBacklog hole;
  const Stranger silent([](Stranger::Line& line) { line.read_until_closed(); });
  Client client;
  const std::string first = std::to_string(hole.port());
  const std::string second = std::to_string(silent.port());
  check_timeout(client.refusal(hosts({first, second}) + " sslmode=require", 1s), "tls");
  check_timeout(client.refusal(hosts({second, first}) + " sslmode=require", 1s), "tcp");
  const std::string nobody = std::to_string(Stranger::unused_port());
  CHECK(to_string(client.refusal(hosts({first, nobody}) + " sslmode=require", 1s).reason()) ==
        "refused");
}

// Names that begin with "hung" get no answer before the end of the test.
class HangingNames {
 public:
  Resolver::Lookup function() const {
    return [over = over_](const std::string& host) {
      if (host.starts_with("hung")) over.wait();
      return Resolver::Answer{{"127.0.0.1"}, ""};
    };
  }
  ~HangingNames() { end_.set_value(); }

 private:
  std::promise<void> end_;
  std::shared_future<void> over_ = end_.get_future().share();
};

TEST_CASE("a host whose name lookup hangs leaves time for the others") {
  const HangingNames names;
  Client client;
  client.resolver = Resolver(client.io.get_executor(), names.function());
  for (const char* list :
       {"host=hung,localhost", "host=localhost,hung", "host=hung,hung2,localhost"}) {
    CAPTURE(list);
    CHECK(client.connect(newest().with(list), {"test"}, 6s)->host() == "localhost");
  }
}

TEST_CASE("when no name is answered, it is the lookup that is too slow") {
  const HangingNames names;
  Client client;
  client.resolver = Resolver(client.io.get_executor(), names.function());
  for (const char* list : {"host=hung", "host=hung,hung2"}) {
    check_timeout(client.refusal(list, 600ms), "resolve");
  }
}

}  // namespace
}  // namespace pgconn::test
