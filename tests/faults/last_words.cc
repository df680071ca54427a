// last_words DSN: holds a session in a transaction, which no probe of the exporter does, until it
// is ended; prints SQLSTATE, cause and reason as the exporter would report them for a lost
// connection.
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "postgres/connection.h"
#include "probes/drops/attribution.h"
#include "tests/support/run_coroutine.h"

namespace pgconn::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::optional<postgres::PgError> end_of_a_transaction(const std::string& dsn) {
  asio::io_context io;
  postgres::Resolver resolver(io.get_executor());
  const auto conninfo = postgres::ConnInfo::parse(dsn);
  const auto deadline = Clock::now() + 30s;
  const auto connection = run(
      io, postgres::Connection::connect(io.get_executor(), resolver, conninfo, {"test"}, deadline));
  const std::vector<postgres::Query> begin = {{"BEGIN", ""}};
  std::vector<postgres::Answer> answers;
  run(io, connection->pipeline(begin, deadline, answers));
  return run(io, connection->watch(deadline));
}

int main_of(const std::string& dsn) {
  const auto error = end_of_a_transaction(dsn);
  if (!error) {
    std::fputs("nobody ended it\n", stderr);
    return 1;
  }
  probes::Evidence evidence;
  evidence.drops.push_back(
      {.probe = probes::ProbeKind::kRoundtrip, .error = *error, .in_transaction = true});
  evidence.pooler = true;
  const probes::Verdict verdict = attribute(evidence);
  std::printf("%s\n%s\n%s\n", error->sqlstate().c_str(), to_string(verdict.cause).data(),
              verdict.because.c_str());
  return 0;
}

}  // namespace
}  // namespace pgconn::test

int main(int argc, char** argv) {
  try {
    return pgconn::test::main_of(argc > 1 ? argv[1] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
