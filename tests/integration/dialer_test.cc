#include "postgres/dialer.h"

#include "tests/integration/servers.h"
#include "tests/support/catch.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using postgres::ConnInfo;
using postgres::Dialer;
using postgres::PgError;
using postgres::Session;

// A dialer of one server, used from outside of its loop.
class Phone {
 public:
  Phone(std::string dsn, int budget)
      : dsn_(std::move(dsn)),
        dialer_(
            client_.io.get_executor(), client_.resolver,
            [this](postgres::Deadline) -> asio::awaitable<ConnInfo> {
              ConnInfo conninfo = ConnInfo::parse(dsn_);
              co_return conninfo;
            },
            budget) {}

  Session dial(const std::string& purpose) {
    postgres::ConnectOptions options;
    options.purpose = purpose;
    return test::run(client_.io,
                     dialer_.dial(options, std::chrono::steady_clock::now() + Client::kPatience));
  }
  PgError refusal(const std::string& purpose) {
    return error_of([&] { dial(purpose); });
  }
  void change(std::string dsn) { dsn_ = std::move(dsn); }
  const std::map<std::string, int>& open() const { return dialer_.open(); }

 private:
  std::string dsn_;
  Client client_;
  Dialer dialer_;
};

std::string sessions_of(Admin& admin) {
  return admin.value(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
      "'pgconn_exporter/budget%'");
}

TEST_CASE("a dialer opens no more sessions than its budget, whatever they are for") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Admin admin(server);
      Phone phone(server.dsn, 2);
      Session one = phone.dial("budget one");
      const Session other = phone.dial("budget other");
      const PgError error = phone.refusal("budget one");
      CHECK(to_string(error.reason()) == "budget");
      CHECK(std::string(error.what()).find("max_connections_per_target") != std::string::npos);
      CHECK(sessions_of(admin) == "2");
      CHECK(phone.open() == std::map<std::string, int>{{"budget one", 1}, {"budget other", 1}});
      one = {};
      CHECK(phone.open() == std::map<std::string, int>{{"budget one", 0}, {"budget other", 1}});
      one = phone.dial("budget one");
      CHECK(one);
    }
  }
}

TEST_CASE("a session that could not be opened gives its place in the budget back") {
  for (const Server& server : servers()) {
    DYNAMIC_SECTION("PostgreSQL " << server.version) {
      Phone phone(server.with("dbname=missing"), 1);
      for (int i = 0; i < 3; ++i) CHECK(phone.refusal("budget").sqlstate() == "3D000");
      CHECK(phone.open() == std::map<std::string, int>{{"budget", 0}});
      phone.change(server.dsn);
      CHECK(phone.dial("budget"));
    }
  }
}

}  // namespace
}  // namespace pgconn::test
