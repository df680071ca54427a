// log_reader PREFIX STATE PATTERN…: reads a server's log as the exporter does, on command.
//
// `poll`     reads what is new, and prints a line of JSON for each event; then `done`
// `publish`  prints the metrics, after keeping the state; then `done`
// Problems are lines that begin with `problem: `. STATE may be empty.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "metrics/exposition.h"
#include "sources/server_log/server_log.h"

namespace pgconn::test {
namespace {

using namespace server_log;

constexpr std::size_t kMostAtOnce = std::size_t{4} << 20;

using Seconds = std::chrono::duration<double>;

void print_event(const Entry& entry, const Classified& classified) {
  nlohmann::json line = {{"event", to_string(*classified.event)},
                         {"sqlstate", classified.sqlstate},
                         {"severity", to_string(entry.severity)},
                         {"pid", entry.pid},
                         {"subject", classified.subject},
                         {"actor", classified.actor},
                         {"signal", classified.signal}};
  if (entry.time) line["time"] = Seconds(entry.time->time_since_epoch()).count();
  if (classified.refusal) line["refusal"] = to_string(*classified.refusal);
  if (entry.user) line["user"] = *entry.user;
  if (entry.database) line["database"] = *entry.database;
  if (classified.session) line["session"] = Seconds(*classified.session).count();
  if (classified.login) line["login"] = Seconds(classified.login->stages[0]).count();
  std::cout << line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
}

void publish(ServerLog& log) {
  metrics::MetricBatch batch = log.publish(std::chrono::system_clock::now());
  batch.unify();
  const metrics::LabeledBatch labeled{{}, &batch};
  std::cout << metrics::expose({&labeled, 1}, metrics::Format::kText);
}

void serve(ServerLog& log) {
  for (std::string command; std::getline(std::cin, command);) {
    if (command == "poll") {
      while (log.poll(std::chrono::system_clock::now(), kMostAtOnce)) {
      }
    } else if (command == "publish") {
      publish(log);
    } else {
      throw std::invalid_argument("no such command: " + command);
    }
    for (const Problem& problem : log.take_problems()) {
      std::cout << "problem: " << problem.text << "\n";
    }
    std::cout << "done\n" << std::flush;
  }
}

}  // namespace
}  // namespace pgconn::test

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() < 4) throw std::invalid_argument("log_reader PREFIX STATE PATTERN…");
    pgconn::server_log::ServerLog log({{words.begin() + 3, words.end()}, words[1], words[2], "box"},
                                      pgconn::test::print_event);
    pgconn::test::serve(log);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "log_reader: %s\n", error.what());
    return 1;
  }
}
