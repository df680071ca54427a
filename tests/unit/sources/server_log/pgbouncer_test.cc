// PgBouncer's own log: lines as its releases 1.18 and 1.26 write them.
#include <random>
#include <string>

#include "metrics/exposition.h"
#include "sources/server_log/pgbouncer_parser.h"
#include "sources/server_log/pooler_tally.h"
#include "tests/support/catch.h"
#include "tests/unit/sources/server_log/collected.h"

namespace pgconn::server_log {
namespace {

const std::string kTime = "2026-11-30 08:22:31.755 UTC [4694] ";

std::string told(const std::string& line) {
  Entry entry;
  if (!parse_pgbouncer_line(line, entry)) return "no line";
  const auto closing = closing_of(entry);
  if (!closing) return "no closing";
  return std::string(to_string(closing->side)) + " " + std::string(to_string(closing->reason));
}

std::string client(const std::string& why) {
  return kTime + "LOG C-0x55d0c8a0: postgres/monitor@127.0.0.1:51966 closing because: " + why +
         " (age=3s)";
}
std::string server(const std::string& why) {
  return kTime + "LOG S-0x55d0c8a0: postgres/monitor@127.0.0.1:5432 closing because: " + why +
         " (age=3s)";
}

TEST_CASE("pgbouncer: a connection that it closed has a side and a reason") {
  CHECK(told(client("client close request")) == "client client_closed");
  CHECK(told(client("client unexpected eof")) == "client client_lost");
  CHECK(told(client("client_idle_timeout")) == "client client_idle_timeout");
  CHECK(told(client("client_login_timeout (server down)")) == "client client_login_timeout");
  CHECK(told(client("idle transaction timeout")) == "client idle_transaction_timeout");
  CHECK(told(client("query timeout")) == "client query_timeout");
  CHECK(told(client("query_wait_timeout")) == "client query_wait_timeout");
  CHECK(told(client("no more connections allowed (max_client_conn)")) == "client max_client_conn");
  CHECK(told(client("password authentication failed")) == "client authentication_failed");
  CHECK(told(client("no such database: nope")) == "client no_database");
  CHECK(told(client("server conn crashed?")) == "client server_lost");
  CHECK(told(client("pooler is shutting down")) == "client shutdown");
  CHECK(told(server("server lifetime over")) == "server server_lifetime");
  CHECK(told(server("server idle timeout")) == "server server_idle_timeout");
  CHECK(told(server("server conn crashed?")) == "server server_lost");
  CHECK(told(server("server login failed: FATAL sorry")) == "server server_login_failed");
  CHECK(told(server("query timeout")) == "server query_timeout");
  CHECK(told(server("connect failed")) == "server connect_failed");
  CHECK(told(server("reconnect")) == "server reconnect");
  CHECK(told(server("database configuration changed")) == "server reconnect");
  CHECK(told(server("close_needed")) == "server reconnect");
  CHECK(told(server("of a new kind")) == "server other");
}

TEST_CASE("pgbouncer: other lines are counted, and are no closings") {
  CHECK(told(kTime + "LOG process up: PgBouncer 1.18.0, libevent 2.1.12-stable") == "no closing");
  CHECK(told(kTime + "WARNING C-0x1: (nodb)/ghost@127.0.0.1:51962 pooler error: query timeout") ==
        "no closing");
  CHECK(told(kTime + "LOG closing because: client close request (age=3s)") == "no closing");
  CHECK(told("LOG C-0x1: a/b@unix(77):6432 closing because: client close request (age=0s)") ==
        "client client_closed");
  CHECK(told("garbage") == "no line");
  CHECK(told("") == "no line");
  CHECK(told("\tat line 5") == "no line");
}

TEST_CASE("pgbouncer: what a client calls itself cannot pass for a reason") {
  CHECK(told(kTime + "LOG C-0x1: (nodb)/(nouser)@10.0.0.7:5 login attempt: db=x closing because: "
                     "server lifetime over (age=1s) user=y tls=no") == "no closing");
  CHECK(told(kTime + "LOG C-0x1: a b/closing because: x@10.0.0.7:5 closing because: query timeout "
                     "(age=1s)") == "client query_timeout");
}

TEST_CASE("pgbouncer: time, process and level are those of the line") {
  Entry entry;
  REQUIRE(parse_pgbouncer_line(kTime + "WARNING C-0x1: a/b@10.0.0.7:5 pooler error: x", entry));
  CHECK(entry.pid == 4694);
  CHECK(entry.severity == Severity::kWarning);
  CHECK(entry.time.has_value());
  CHECK(entry.message == "pooler error: x");
}

TEST_CASE("pgbouncer: counts are shown, kept and restored") {
  PgbouncerParser parser;
  PoolerTally tally;
  parser.feed(client("query timeout") + "\n" + server("query timeout") + "\n" +
                  client("query timeout") + "\n" + kTime + "ERROR oops\nforeign\n",
              [&](const Entry& entry) { tally.take(entry, {}); });
  const auto shown = [](const PoolerTally& of, const ParseFaults& faults) {
    metrics::MetricBatch batch = of.collect(faults, {});
    batch.unify();
    const metrics::LabeledBatch labeled{{}, &batch};
    return metrics::expose({&labeled, 1}, metrics::Format::kText);
  };
  const std::string text = shown(tally, parser.faults());
  const auto has = [&text](const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
  };
  CHECK(has("pgconn_pgbouncer_log_closings_total{side=\"client\",reason=\"query_timeout\"} 2"));
  CHECK(has("pgconn_pgbouncer_log_closings_total{side=\"server\",reason=\"query_timeout\"} 1"));
  CHECK(has("pgconn_pgbouncer_log_closings_total{side=\"server\",reason=\"server_lost\"} 0"));
  CHECK(has("pgconn_log_lines_total{severity=\"log\"} 3"));
  CHECK(has("pgconn_log_lines_total{severity=\"error\"} 1"));
  CHECK(has("pgconn_log_parse_errors_total{reason=\"unparsed\"} 1"));
  PoolerTally again;
  again.restore(tally.totals(parser.faults()));
  CHECK(shown(again, {}) == text);
}

TEST_CASE("pgbouncer: any bytes are survived, and another program's log is told") {
  std::mt19937 random(5);
  const std::string text = client("query timeout") + "\n" + server("reconnect") + "\n";
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = text;
    for (int i = 0; i < 6; ++i) bytes[random() % bytes.size()] = "\n@: []C\xff"[random() % 8];
    PgbouncerParser parser;
    parse(parser, bytes, 1 + random() % 40);
    REQUIRE(parser.pending() == 0);
  }
  PgbouncerParser parser;
  for (int i = 0; i < 10; ++i) {
    parser.feed("2026-11-29 13:36:11.315 UTC [7] me@db LOG:  text\n", [](const Entry&) {});
  }
  CHECK(parser.misfit().find("not those of a PgBouncer") != std::string::npos);
}

}  // namespace
}  // namespace pgconn::server_log
