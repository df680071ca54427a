#include "exporter/cli/diagnose_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>

#include "config/duration.h"
#include "config/loader.h"
#include "exporter/cli/vocabulary.h"
#include "exporter/diagnosis/examine.h"
#include "exporter/log/log.h"
#include "exporter/targets/fleet.h"

// GCC 12 inlines Asio's operator new of a coroutine frame, and then reports its operator delete as
// mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace pgconn::exporter {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds kPatience(20);
constexpr seconds kLongestWatch(24 * 3600);

// The configuration of one target with these probes, as a file would have it.
config::ValidatedConfig configured(const std::string& conninfo) {
  using nlohmann::json;
  const json probes = {
      {"connect", {{"interval", "5s"}, {"timeout", "4s"}}},
      {"roundtrip", {{"interval", "2s"}, {"timeout", "1s"}}},
      {"idle", {{"ladder", {"5s", "10s", "20s", "30s", "1m", "2m", "350s", "15m"}}}},
      {"certificate", false}};
  const json file = {{"targets", {{{"name", "diagnose"}, {"dsn", conninfo}, {"probes", probes}}}}};
  return config::load_text(file.dump(), "CONNINFO", vocabulary());
}

// Runs until the coroutine has ended.
template <typename Result>
Result run_until(asio::io_context& io, std::future<Result> future) {
  while (future.wait_for(seconds(0)) != std::future_status::ready) io.run_one();
  return future.get();
}

asio::awaitable<TargetSnapshot> watched(Fleet& fleet, seconds length) {
  asio::steady_timer end(co_await asio::this_coro::executor, length);
  co_await end.async_wait(asio::use_awaitable);
  auto snapshots = co_await fleet.snapshots();
  co_return std::move(snapshots.front());
}

void watch_losses(const config::ValidatedConfig& config, seconds length, Examination& seen) {
  asio::io_context io;
  Fleet fleet(io.get_executor());
  fleet.apply(config);
  const TargetSnapshot snapshot =
      run_until(io, asio::co_spawn(io, watched(fleet, length), asio::use_future));
  for (const auto& incident : snapshot.incidents) {
    seen.losses.push_back({std::string(to_string(incident->verdict.cause)),
                           std::string(to_string(incident->verdict.scope)),
                           incident->verdict.because, incident->in_all()});
  }
  seen.watched_seconds = static_cast<int>(length.count());
  fleet.stop();
  io.run_for(seconds(1));  // sessions end with a word of farewell
}

seconds watch_length(const std::string& text) {
  try {
    const config::Duration length = config::parse_duration(text);
    if (length >= seconds(1) && length <= kLongestWatch) {
      return std::chrono::duration_cast<seconds>(length);
    }
  } catch (const std::invalid_argument&) {  // said below
  }
  throw UsageError("--watch \"" + text + "\" is no duration from 1s to 1d");
}

void progress(const std::string& text) {
  if (isatty(STDERR_FILENO) == 1) std::cerr << text << "\n";
}

}  // namespace

void Diagnose::declare(CLI::App& app) {
  constexpr const char* kGroup = "Flags of diagnose";
  CLI::App* const diagnose =
      app.add_subcommand("diagnose",
                         "look at one server and print what is wrong, and the fix; exits with 0, 1 "
                         "(warnings), 2 (critical) or 3 (unknown)");
  diagnose->add_option("CONNINFO", conninfo);
  diagnose
      ->add_option_function<std::string>(
          "--watch", [this](const std::string& text) { watch = watch_length(text); },
          "hold connections for so long, and tell what drops them.")
      ->type_name("DURATION")
      ->group(kGroup);
  diagnose->add_flag("--json", json, "print JSON.")->group(kGroup);
}

int Diagnose::run() const {
  log::configure(log::Level::kError, log::Format::kLogfmt);
  try {
    const config::ValidatedConfig config = configured(conninfo);
    asio::io_context io;
    postgres::Resolver resolver(io.get_executor());
    progress("connecting …");
    Examination seen = run_until(
        io, asio::co_spawn(io, examine(resolver, config->targets.front(), Clock::now() + kPatience),
                           asio::use_future));
    if (watch && seen.once.facts) {
      progress("watching for " + std::to_string(watch->count()) + " s …");
      watch_losses(config, *watch, seen);
    }
    const Diagnosis diagnosis = diagnose(seen);
    std::cout << (json ? diagnosis_json(diagnosis)
                       : diagnosis_text(diagnosis, isatty(STDOUT_FILENO) == 1));
    return exit_status(seen, diagnosis);
  } catch (const std::exception& error) {
    std::cerr << "pgconn_exporter diagnose: " << error.what() << '\n';
    return 3;
  }
}

}  // namespace pgconn::exporter
