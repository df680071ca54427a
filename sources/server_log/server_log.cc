#include "sources/server_log/server_log.h"

#include <algorithm>
#include <utility>

#include "sources/server_log/state_file.h"

namespace pgconn::server_log {
namespace {

StateRead load(const ServerLogOptions& options) {
  if (options.state_path.empty()) return {};
  return read_state(options.state_path, options.server);
}

std::optional<History> history_of(const StateRead& loaded) {
  if (!loaded.state) return std::nullopt;
  return loaded.state->history;
}

// csvlog and jsonlog always have the SQLSTATE.
bool tells_sqlstate(const ServerLogOptions& options, const Prefix& prefix) {
  return prefix.has_sqlstate() ||
         std::ranges::none_of(options.patterns, [](const std::string& pattern) {
           return format_of(pattern) == Format::kStderr;
         });
}

}  // namespace

ServerLog::ServerLog(ServerLogOptions options, Listener listener)
    : ServerLog(options, std::move(listener), Prefix(options.line_prefix), load(options)) {}

ServerLog::ServerLog(ServerLogOptions options, Listener listener, Prefix prefix, StateRead loaded)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      metrics_(tells_sqlstate(options_, prefix)),
      follower_(options_.patterns, prefix, history_of(loaded)) {
  if (loaded.state) metrics_.restore(loaded.state->totals);
  if (!loaded.problem.empty()) {
    metrics_.count(Trouble::kState);
    problems_.push_back({Trouble::kState, loaded.problem});
  }
}

bool ServerLog::poll(TimePoint now, std::size_t most) {
  const bool has_more = follower_.poll(now, most, [&](const Entry& entry) {
    Classified classified = classify(entry);
    if (losses_.is_repeated(entry, classified, now)) classified.event.reset();
    metrics_.count(entry, classified, now);
    if (listener_ && classified.event) listener_(entry, classified);
    is_changed_ = true;
  });
  // Lines that were not entries are counted too.
  is_changed_ |= has_more || !has_looked_ || follower_.faults() != saved_faults_;
  has_looked_ = true;
  for (Problem& problem : follower_.take_problems()) {
    metrics_.count(problem.trouble);
    problems_.push_back(std::move(problem));
    is_changed_ = true;
  }
  return has_more;
}

metrics::MetricBatch ServerLog::publish(TimePoint now) {
  if (!options_.state_path.empty()) save(now);
  return metrics_.collect(follower_.faults(), follower_.lag(now));
}

// Called before anything is shown. If saving fails, counts are shown all the same: counting twice
// after a restart is better than not counting now.
void ServerLog::save(TimePoint now) {
  if (!is_changed_) return;
  const std::string problem = write_state(
      options_.state_path,
      {options_.server, {now, follower_.positions()}, metrics_.totals(follower_.faults())});
  is_changed_ = !problem.empty();
  saved_faults_ = follower_.faults();
  if (!problem.empty() && !cannot_save_) {
    metrics_.count(Trouble::kState);
    problems_.push_back({Trouble::kState, problem + "; a restart loses or doubles counts"});
  }
  cannot_save_ = !problem.empty();
}

std::vector<Problem> ServerLog::take_problems() { return std::exchange(problems_, {}); }

}  // namespace pgconn::server_log
