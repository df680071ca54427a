#include "tests/support/catch.h"
#include "tests/unit/collectors/collected.h"

using namespace pgconn::collectors;

TEST_CASE("Sessions are counted by transport and origin, every kind from 0 on") {
  Readings readings;
  readings.put(activity_reading({}),
               activity({{.link = "unix/local", .sessions = 2},
                         {.link = "plain/remote", .sessions = 3},
                         {.state = "active", .link = "plain/remote"},
                         {.link = "tls/remote",
                          .tls_version = "TLSv1.3",
                          .tls_cipher = "TLS_AES_256_GCM_SHA384",
                          .sessions = 5,
                          .certificates = 2},
                         {.link = "gss/remote", .sessions = 4},
                         {.link = "gss/local"},
                         {.application = "pgconn_exporter/collect", .link = "tls/remote"},
                         {.backend_type = "checkpointer", .link = "unix/local"}}));
  const auto collected = collect(transport_collector(), readings);
  CHECK(collected.at("pgconn_transport_sessions{unix,local}") == 2);
  CHECK(collected.at("pgconn_transport_sessions{plain,remote}") == 4);
  CHECK(collected.at("pgconn_transport_sessions{tls,remote}") == 5);
  CHECK(collected.at("pgconn_transport_sessions{gss,remote}") == 4);
  CHECK(collected.at("pgconn_transport_sessions{gss,local}") == 1);
  CHECK(collected.count("pgconn_transport_sessions") == 7);
  CHECK(collected.at("pgconn_tls_sessions{TLSv1.3,TLS_AES_256_GCM_SHA384}") == 5);
  CHECK(collected.at("pgconn_plaintext_remote_sessions{shop,app}") == 4);
  CHECK(collected.at("pgconn_tls_client_certificate_sessions{}") == 2);
}

TEST_CASE("Plain sessions on the loopback interface are no finding") {
  Readings readings;
  readings.put(activity_reading({}), activity({{.link = "plain/local", .sessions = 2}}));
  const auto collected = collect(transport_collector(), readings);
  CHECK(collected.count("pgconn_plaintext_remote_sessions") == 0);
  CHECK(collected.at("pgconn_transport_sessions{plain,local}") == 2);
}
