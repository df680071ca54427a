#include "sources/server_log/server_log.h"

#include <algorithm>
#include <utility>

#include "sources/server_log/follower.h"
#include "sources/server_log/pooler_tally.h"
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

// All formats but stderr always have the SQLSTATE.
bool tells_sqlstate(const ServerLogOptions& options, const Prefix& prefix) {
  if (prefix.has_sqlstate()) return true;
  return std::ranges::none_of(options.patterns, [&options](const std::string& pattern) {
    return options.layout.format.value_or(format_of(pattern)) == Format::kStderr;
  });
}

std::unique_ptr<Tally> make_tally(const ServerLogOptions& options, ServerLog::Listener listener) {
  if (options.layout.format == Format::kPgbouncer) return std::make_unique<PoolerTally>();
  return std::make_unique<LogMetrics>(std::move(listener));
}

}  // namespace

ServerLog::ServerLog(ServerLogOptions options, Listener listener)
    : ServerLog(options, std::move(listener),
                [&options](const Prefix& prefix, std::optional<History> history) {
                  return std::make_unique<Follower>(options.patterns, prefix, std::move(history),
                                                    options.layout);
                }) {}

ServerLog::ServerLog(ServerLogOptions options, Listener listener, const InputMaker& make)
    : options_(std::move(options)), tally_(make_tally(options_, std::move(listener))) {
  const Prefix prefix(options_.line_prefix);
  const StateRead loaded = load(options_);
  input_ = make(prefix, history_of(loaded));
  if (!options_.patterns.empty()) tally_->foresee(tells_sqlstate(options_, prefix));
  if (loaded.state) tally_->restore(loaded.state->totals);
  if (!loaded.problem.empty()) {
    tally_->count(Trouble::kState);
    problems_.push_back({Trouble::kState, loaded.problem});
  }
}

bool ServerLog::poll(TimePoint now, std::size_t most) {
  const bool has_more = input_->poll(now, most, [&](const Entry& entry) {
    tally_->take(entry, now);
    is_changed_ = true;
  });
  // Lines that were not entries are counted too.
  is_changed_ |= has_more || !has_looked_ || input_->faults() != saved_faults_;
  has_looked_ = true;
  for (Problem& problem : input_->take_problems()) {
    tally_->count(problem.trouble);
    problems_.push_back(std::move(problem));
    is_changed_ = true;
  }
  return has_more;
}

metrics::MetricBatch ServerLog::publish(TimePoint now) {
  if (!options_.state_path.empty()) save(now);
  return tally_->collect(input_->faults(), input_->lag(now));
}

// Called before anything is shown. If saving fails, counts are shown all the same: counting twice
// after a restart is better than not counting now.
void ServerLog::save(TimePoint now) {
  if (!is_changed_) return;
  const std::string problem =
      write_state(options_.state_path,
                  {options_.server, {now, input_->positions()}, tally_->totals(input_->faults())});
  is_changed_ = !problem.empty();
  saved_faults_ = input_->faults();
  if (!problem.empty() && !cannot_save_) {
    tally_->count(Trouble::kState);
    problems_.push_back({Trouble::kState, problem + "; a restart loses or doubles counts"});
  }
  cannot_save_ = !problem.empty();
}

void ServerLog::tell(Trouble trouble, const std::string& text) {
  if (!told_.insert(trouble).second) return;
  tally_->count(trouble);
  problems_.push_back({trouble, text});
  is_changed_ = true;
}

void ServerLog::over(Trouble trouble) { told_.erase(trouble); }

void ServerLog::learn_prefix(const std::string& line_prefix, bool has_sqlstate) {
  if (line_prefix == options_.line_prefix && has_learned_) return;
  input_->set_prefix(Prefix(line_prefix));
  options_.line_prefix = line_prefix;
  has_learned_ = true;
  tally_->foresee(has_sqlstate);
}

std::vector<Problem> ServerLog::take_problems() { return std::exchange(problems_, {}); }

}  // namespace pgconn::server_log
