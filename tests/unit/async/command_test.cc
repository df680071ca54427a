#include "async/command.h"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <csignal>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

namespace pgconn::async {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

CommandResult run(Command command, std::chrono::milliseconds patience = 20s) {
  asio::io_context io;
  SystemTime time(io.get_executor());
  auto future = asio::co_spawn(io, run_command(time, std::move(command), Clock::now() + patience),
                               asio::use_future);
  io.run();
  return future.get();
}

CommandResult shell(std::string script, std::chrono::milliseconds patience = 20s) {
  return run({Words{"sh", "-c", std::move(script)}, {}}, patience);
}

TEST_CASE("A program's output, complaint and status are returned") {
  const CommandResult result = shell("echo out; echo oh no >&2; exit 3");
  CHECK(result.output == "out\n");
  CHECK(result.complaint == "oh no\n");
  CHECK(result.status == 3);
  CHECK_FALSE(result.timed_out);
  CHECK(shell("kill -TERM $$").status == 128 + SIGTERM);
}

TEST_CASE("Its words are no shell's, and its environment is ours with the given variables") {
  CHECK(run({Words{"printf", "%s|", "a b", "$HOME", "*"}, {}}).output == "a b|$HOME|*|");
  CHECK(run({Words{"sh", "-c", "echo $PGHOST; test -n \"$PATH\""}, {{"PGHOST", "db a"}}}).output ==
        "db a\n");
}

TEST_CASE("It reads nothing from us") { CHECK(shell("cat; echo end").output == "end\n"); }

TEST_CASE("A program that does not end is killed at the deadline, with what it started") {
  const test::TemporaryDirectory directory;
  const auto began = Clock::now();
  const CommandResult result =
      shell("sleep 600 & echo $! > " + directory.path("pid") + "; echo begun; sleep 600", 300ms);
  CHECK(result.timed_out);
  CHECK(Clock::now() - began < 15s);
  CHECK(result.output == "begun\n");
  // A zombie of init's may remain for a moment; a process that runs would be `S`.
  const std::string stat =
      "/proc/" + directory.read("pid").substr(0, directory.read("pid").find('\n')) + "/stat";
  std::ifstream file(stat);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK((text.empty() || text.find(") Z ") != std::string::npos ||
         text.find(") X ") != std::string::npos));
}

TEST_CASE("A program that leaves somebody behind with its output is not waited for") {
  const auto began = Clock::now();
  const CommandResult result = shell("setsid sleep 5 & echo done");
  CHECK(result.output == "done\n");
  CHECK(result.status == 0);
  CHECK(Clock::now() - began < 4s);
}

TEST_CASE("Output is bounded, and a program that prints too much still ends") {
  const CommandResult result =
      shell("head -c 1000000 /dev/zero | tr '\\0' x; head -c 1000000 /dev/zero >&2");
  CHECK(result.output.size() == std::size_t{64} * 1024);
  CHECK(result.complaint.size() == 500);
  CHECK(result.status == 0);
}

TEST_CASE("A program that is not there is an error") {
  CHECK_THROWS_AS(run({Words{"/nonexistent/program"}, {}}), std::system_error);
}

}  // namespace
}  // namespace pgconn::async
