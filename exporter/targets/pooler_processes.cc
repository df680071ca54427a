#include "exporter/targets/pooler_processes.h"

namespace pgconn::exporter {
namespace {

constexpr const metrics::Descriptor* kFamilies[] = {
    &families::kPoolerProcess, &families::kPoolerRestarts, &families::kPoolerChanges};

// A peer that invents databases or processes does not use up memory.
constexpr std::size_t kMostSeries = 10'000;
constexpr std::size_t kMostProcesses = 100;

}  // namespace

std::span<const metrics::Descriptor* const> pooler_process_families() { return kFamilies; }

PoolerProcesses::News PoolerProcesses::note(const collectors::ServerFacts& facts,
                                            std::uint64_t session) {
  if (!facts.shares_address) return News::kNone;  // a scrape that was cut short
  const News news = session_ == session ? News::kNone : meet(facts);
  session_ = session;
  shares_address_ = *facts.shares_address;
  shown_ = facts.process;
  if (facts.work_done) processes_[name_].work_done = *facts.work_done;
  return news;
}

// On a new session.
PoolerProcesses::News PoolerProcesses::meet(const collectors::ServerFacts& facts) {
  const bool first = !session_;
  const bool is_known = facts.shares_address == false || !facts.process.empty();
  const bool stays = !first && facts.process == name_;
  name_ = facts.process;
  if (processes_.size() >= kMostProcesses) processes_.clear();
  const auto found = processes_.find(name_);
  if (found == processes_.end() || !is_known) {
    Process fresh;
    fresh.from_its_start = first;
    processes_[name_] = std::move(fresh);
    return first ? News::kNone : News::kAnother;
  }
  Process& process = found->second;
  if (facts.work_done && *facts.work_done < process.work_done) {
    process = {};
    return News::kRestart;
  }
  return stays ? News::kNone : News::kAnother;
}

double PoolerProcesses::added(Process& process, const Series& series, double counted) {
  const auto [before, is_new] = process.counted.emplace(series, counted);
  if (is_new) {
    const bool since_then = process.from_its_start || process.watched.contains(series.first);
    return since_then ? counted : 0;
  }
  const double last = std::exchange(before->second, counted);
  return counted >= last ? counted - last : counted;
}

void PoolerProcesses::carry_on(metrics::MetricBatch& batch) {
  if (!session_) return;
  Process& process = processes_[name_];
  for (metrics::Family& family : batch.families()) {
    if (family.descriptor->type != metrics::Type::kCounter) continue;
    std::vector<metrics::Sample> kept;
    for (metrics::Sample& sample : family.samples) {
      Series series(family.descriptor, sample.labels);
      if (totals_.size() >= kMostSeries && !totals_.contains(series)) continue;
      totals_[series] += added(process, series, sample.value);
      sample.value = totals_[series];
      kept.push_back(std::move(sample));
    }
    family.samples = std::move(kept);
    process.watched.insert(family.descriptor);
  }
}

void PoolerProcesses::add_gauges(metrics::MetricBatch& batch) const {
  if (!session_) return;
  batch.add(families::kPoolerProcess, 1,
            {shown_.empty() ? "0" : shown_, shares_address_ ? "1" : "0"});
}

}  // namespace pgconn::exporter
