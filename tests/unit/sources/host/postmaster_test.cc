#include "sources/host/postmaster.h"

#include <string>

#include "tests/support/catch.h"

using namespace pgconn::host;

namespace {

constexpr double kBoot = 1'700'000'000;
constexpr double kTicks = 100;

const ServerClaims kServer = {.port = 5432,
                              .backend_pid = 200,
                              .backend_start = kBoot + 500.4,
                              .postmaster_start = kBoot + 20.7,
                              .peer_is_local = true};
const Process kBackend = {200, 100, "postgres", 50'000};
const Process kPostmaster = {100, 1, "postgres", 2'000};

bool proves(const ServerClaims& server, const Process& backend, const Process& postmaster) {
  return are_of(server, backend, postmaster, kBoot, kTicks);
}

}  // namespace

TEST_CASE("number, name, parent and both starts together prove the server to be here") {
  CHECK(proves(kServer, kBackend, kPostmaster));
  Process renamed = kPostmaster;
  renamed.name = "postmaster";
  CHECK(proves(kServer, kBackend, renamed));
}

TEST_CASE("a postmaster that took long to set up its memory is still the server's") {
  ServerClaims server = kServer;
  server.postmaster_start += 60;
  CHECK(proves(server, kBackend, kPostmaster));
}

TEST_CASE("any proof that is missing leaves the server elsewhere") {
  ServerClaims server = kServer;
  Process backend = kBackend;
  Process postmaster = kPostmaster;
  SECTION("the connection leads away") { server.peer_is_local = false; }
  SECTION("the backend began at another time") { server.backend_start += kBackendTolerance + 1; }
  SECTION("the postmaster began at another time") {
    server.postmaster_start += kPostmasterTolerance + 1;
  }
  SECTION("the process is no postgres") { backend.name = "sshd"; }
  SECTION("its parent is no postgres") { postmaster.name = "systemd"; }
  SECTION("its parent is somebody else") { backend.parent = 1; }
  CHECK_FALSE(proves(server, backend, postmaster));
}

TEST_CASE("a connection stays on this machine over a socket file, loopback or our own address") {
  CHECK(is_local_peer("", ""));
  CHECK(is_local_peer("", "/run/postgresql/.s.PGSQL.5432"));
  CHECK(is_local_peer("127.0.0.1", "127.0.0.1"));
  CHECK(is_local_peer("::1", "::1"));
  CHECK(is_local_peer("::ffff:127.0.0.1", "::ffff:127.0.0.5"));
  CHECK(is_local_peer("10.0.0.5", "10.0.0.5"));
  CHECK_FALSE(is_local_peer("10.0.0.5", "10.0.0.6"));
  CHECK_FALSE(is_local_peer("10.0.0.5", "12.7.0.0"));
  CHECK_FALSE(is_local_peer("::ffff:10.0.0.5", "::ffff:10.0.0.6"));
}

TEST_CASE("a /proc that cannot be read leaves the server elsewhere, and says why") {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const FoundPostmaster found = find_postmaster("/nowhere", kServer, deadline);
  CHECK_FALSE(found.process);
  CHECK(found.why_not.find("/nowhere/stat") != std::string::npos);
  CHECK_FALSE(is_still_there("/nowhere", kPostmaster));
}
