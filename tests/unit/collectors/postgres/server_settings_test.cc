#include "collectors/postgres/server_settings.h"

#include "collectors/postgres/setting_rows.h"
#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

namespace {

ServerSettings read(const std::vector<Setting>& values) { return read_settings(settings(values)); }

}  // namespace

TEST_CASE("Times come in seconds, sizes in bytes, switches as 0 and 1") {
  const ServerSettings values = read({{"statement_timeout", "30000", "ms"},
                                      {"authentication_timeout", "60", "s"},
                                      {"shared_buffers", "16384", "8kB"},
                                      {"work_mem", "4096", "kB"},
                                      {"max_connections", "100"},
                                      {"ssl", "on"},
                                      {"restart_after_crash", "off"}});
  CHECK(values.seconds("statement_timeout") == Approx(30));
  CHECK(values.seconds("authentication_timeout") == 60.0);
  CHECK(values.number("shared_buffers") == 134217728.0);
  CHECK(values.number("work_mem") == 4194304.0);
  CHECK(values.number("max_connections") == 100.0);
  CHECK(values.number("ssl") == 1.0);
  CHECK(values.number("restart_after_crash") == 0.0);
}

TEST_CASE("A keepalive of 0 is the kernel's, a user timeout of 0 is 0") {
  const ServerSettings values = read({{"tcp_keepalives_idle", "0", "s"},
                                      {"tcp_keepalives_interval", "0", "s"},
                                      {"tcp_keepalives_count", "0"},
                                      {"tcp_user_timeout", "0", "ms"}});
  CHECK(values.seconds("tcp_keepalives_idle") == 7200.0);
  CHECK(values.seconds("tcp_keepalives_interval") == 75.0);
  CHECK(values.number("tcp_keepalives_count") == 9.0);
  CHECK(values.seconds("tcp_user_timeout") == 0.0);
}

TEST_CASE("A time of -1 is no limit and has no value, one of 0 has") {
  constexpr auto kName = "wal_sender_shutdown_timeout";
  const auto shutdown = [&](const char* value) {
    return read({{kName, value, "ms"}}).seconds(kName);
  };
  CHECK_FALSE(shutdown("-1"));
  CHECK(shutdown("0") == 0.0);
  CHECK(shutdown("1500") == 1.5);
}

TEST_CASE("log_connections is a switch up to 17 and a list from 18 on") {
  CHECK(read({{"log_connections", "off"}}).number("log_connections") == 0.0);
  CHECK(read({{"log_connections", "on"}}).number("log_connections") == 1.0);
  CHECK(read({{"log_connections", ""}}).number("log_connections") == 0.0);
  CHECK(read({{"log_connections", "receipt,authorization"}}).number("log_connections") == 1.0);
}

TEST_CASE("Masked, hidden and missing settings are unknown") {
  const ServerSettings values =
      read({{"statement_timeout", "30000", "ms", true}, {"ssl_min_protocol_version", kNull}});
  CHECK_FALSE(values.seconds("statement_timeout"));
  CHECK_FALSE(values.text("ssl_min_protocol_version"));
  CHECK_FALSE(values.number("max_connections"));
}

TEST_CASE("Settings that wait for a restart are listed by name") {
  const ServerSettings values = read({{"work_mem", "4096", "kB"},
                                      {"ssl", "on", kNull, false, true},
                                      {"max_connections", "100", kNull, false, true}});
  CHECK(values.pending_restart() == std::vector<std::string>{"max_connections", "ssl"});
}
