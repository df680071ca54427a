#include "exporter/targets/fleet.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <map>

#include "collectors/kind.h"
#include "exporter/log/log.h"
#include "text/join.h"

namespace pgconn::exporter {
namespace {

// From one target's start to the next one's.
constexpr std::chrono::milliseconds kBetweenStarts(20);
// Between checks whether stopped targets can be destroyed.
constexpr std::chrono::milliseconds kBurial(100);

// A group of coroutines that another one waits for.
struct Gather {
  explicit Gather(async::TimeSource& time) : all_done(time) {}
  std::size_t open = 0;
  async::Event all_done;
  TargetResults results;

  void finished() {
    if (--open == 0) all_done.notify();
  }
};

std::set<std::string> intersection(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  return both;
}

// For a coroutine that nobody waits for.
void log_failure(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    log::write(log::Level::kError, "stopped targets are not cleared away",
               {{"error", error.what()}, {"do", "please report this line"}});
  }
}

}  // namespace

Fleet::Fleet(asio::any_io_executor executor, host::HostPaths host_paths)
    : executor_(executor),
      time_(executor),
      resolver_(executor),
      passwords_(time_),
      host_paths_(std::move(host_paths)),
      between_starts_(executor) {}

Fleet::~Fleet() = default;

Fleet::Change Fleet::apply(const config::ValidatedConfig& config) {
  Change change;
  std::map<std::string, std::shared_ptr<Target>> before;
  for (const auto& target : targets_) before.emplace(target->name(), target);
  const Commons commons{executor_, resolver_, passwords_, roots_, background_, host_paths_};
  // Everything that may fail comes first: until the swap the fleet is unchanged.
  std::vector<std::shared_ptr<Target>> next;
  auto waiting = waiting_;
  for (const config::Target& wanted : config->targets) {
    const auto same = before.find(wanted.name);
    if (same != before.end() && same->second->config() == wanted) {
      next.push_back(same->second);
      before.erase(same);
      ++change.kept;
      continue;
    }
    next.push_back(std::make_shared<Target>(commons, wanted));
    waiting.push_back(next.back());
    ++change.begun;
  }
  targets_.swap(next);
  waiting_.swap(waiting);
  roots_.keep_only({});  // those still in use are loaded again when they are asked for
  for (auto& [name, target] : before) {
    retire(std::move(target));
    ++change.ended;
  }
  if (!starting_) start_next();
  return change;
}

void Fleet::start_next() {
  starting_ = !waiting_.empty();
  if (!starting_) return;
  waiting_.front()->start();
  waiting_.pop_front();
  between_starts_.expires_after(kBetweenStarts);
  between_starts_.async_wait([this](asio::error_code error) {
    if (!error) start_next();
  });
}

void Fleet::retire(std::shared_ptr<Target> target) {
  std::erase(waiting_, target);
  target->stop();
  retired_.push_back(std::move(target));
  if (retired_.size() == 1) asio::co_spawn(executor_, bury_retired(), log_failure);
}

// A target must outlive its coroutines, which end soon after it was stopped.
asio::awaitable<void> Fleet::bury_retired() {
  while (!retired_.empty()) {
    co_await time_.sleep_until(time_.now() + kBurial);
    std::erase_if(retired_, [](const auto& target) { return target->at_rest(); });
  }
}

std::optional<std::string> Fleet::refuse(const ScrapeRequest& request) const {
  std::set<std::string> enabled;
  bool found = false;
  for (const auto& target : targets_) {
    if (request.target && *request.target != target->name()) continue;
    found = true;
    enabled.insert(target->enabled().begin(), target->enabled().end());
  }
  if (!found) {
    std::vector<std::string> names;
    for (const auto& target : targets_) names.push_back(target->name());
    return "unknown target \"" + request.target.value_or("") +
           "\"; configured: " + text::joined(names);
  }
  std::set<std::string> known;
  for (const collectors::Collector* collector : collectors::all_collectors()) {
    known.insert(std::string(collector->info().name));
  }
  for (const std::string& name : request.collectors) {
    if (!known.contains(name)) {
      return "unknown collector \"" + name + "\"; known: " + text::joined(known);
    }
    if (!enabled.contains(name)) {
      return "collector \"" + name +
             "\" is switched off in the configuration; on: " + text::joined(enabled);
    }
  }
  return std::nullopt;
}

asio::awaitable<Scraped> Fleet::scrape(ScrapeRequest request) {
  if (request.target || !request.collectors.empty()) {
    auto refusal = refuse(request);
    if (refusal) {
      Scraped refused;
      refused.refusal = std::move(refusal);
      co_return refused;
    }
  }
  const auto gather = std::make_shared<Gather>(time_);
  for (const auto& target : targets_) {
    if (request.target && *request.target != target->name()) continue;
    const std::size_t slot = gather->results.size();
    gather->results.emplace_back();
    ++gather->open;
    auto names = request.collectors.empty() ? target->enabled()
                                            : intersection(request.collectors, target->enabled());
    asio::co_spawn(executor_, target->collect(std::move(names), request.patience),
                   [gather, slot, target](std::exception_ptr error,
                                          std::shared_ptr<const TargetResult> result) {
                     gather->results[slot] = std::move(result);
                     if (error) {
                       log::write(log::Level::kError, "collection failed",
                                  {{"target", target->name()}});
                     }
                     gather->finished();
                   });
  }
  while (gather->open > 0) co_await gather->all_done.wait();
  std::erase(gather->results, nullptr);
  Scraped scraped;
  scraped.results = std::move(gather->results);
  // The target was removed during the scrape.
  if (request.target && scraped.results.empty()) scraped.refusal = refuse(request);
  co_return scraped;
}

void Fleet::stop() {
  waiting_.clear();
  between_starts_.cancel();
  for (const auto& target : targets_) target->stop();
}

asio::awaitable<std::vector<TargetSnapshot>> Fleet::snapshots() {
  const auto targets = targets_;  // a reload may happen meanwhile
  std::vector<TargetSnapshot> snapshots;
  snapshots.reserve(targets.size());
  for (const auto& target : targets) {
    snapshots.push_back(target->snapshot());
    co_await asio::post(executor_, asio::use_awaitable);
  }
  co_return snapshots;
}

}  // namespace pgconn::exporter
