#include "sources/server_log/common_metrics.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sources/server_log/log_families.h"

namespace pgconn::server_log {
namespace {

template <typename Enumeration>
std::string name(std::size_t i) {
  return std::string(to_string(static_cast<Enumeration>(i)));
}

constexpr std::array<std::pair<std::string_view, std::uint64_t ParseFaults::*>, 5> kFaults = {{
    {"unparsed", &ParseFaults::unparsed},
    {"torn", &ParseFaults::torn},
    {"oversize", &ParseFaults::oversize},
    {"nul", &ParseFaults::nul},
    {"encoding", &ParseFaults::encoding},
}};

void keep(const std::string& key, std::uint64_t count, Totals& totals) {
  if (count > 0) totals.emplace(key, static_cast<double>(count));
}

}  // namespace

std::uint64_t count_of(const Totals& totals, const std::string& key) {
  constexpr double kMost = 9e15;
  const auto found = totals.find(key);
  return found == totals.end() ? 0 : static_cast<std::uint64_t>(std::min(found->second, kMost));
}

void CommonMetrics::collect(const ParseFaults& faults, const Lag& lag,
                            metrics::MetricBatch& batch) const {
  for (std::size_t i = 0; i < kSeverities; ++i) {
    batch.add(families::kLines, static_cast<double>(lines_.at(i)), {name<Severity>(i)});
  }
  for (const auto& [reason, member] : kFaults) {
    batch.add(families::kParseErrors, static_cast<double>(earlier_faults_.*member + faults.*member),
              {std::string(reason)});
  }
  for (std::size_t i = 0; i < kTroubles; ++i) {
    batch.add(families::kTroubles, static_cast<double>(troubles_.at(i)), {name<Trouble>(i)});
  }
  batch.add(families::kLagBytes, static_cast<double>(lag.bytes));
  batch.add(families::kLag, std::max(0.0, lag.age.count()));
}

void CommonMetrics::add_totals(const ParseFaults& faults, Totals& totals) const {
  for (std::size_t i = 0; i < kSeverities; ++i) {
    keep("lines " + name<Severity>(i), lines_.at(i), totals);
  }
  for (std::size_t i = 0; i < kTroubles; ++i) {
    keep("trouble " + name<Trouble>(i), troubles_.at(i), totals);
  }
  for (const auto& [reason, member] : kFaults) {
    keep("fault " + std::string(reason), earlier_faults_.*member + faults.*member, totals);
  }
}

void CommonMetrics::restore(const Totals& totals) {
  for (std::size_t i = 0; i < kSeverities; ++i) {
    lines_.at(i) = count_of(totals, "lines " + name<Severity>(i));
  }
  for (std::size_t i = 0; i < kTroubles; ++i) {
    troubles_.at(i) = count_of(totals, "trouble " + name<Trouble>(i));
  }
  for (const auto& [reason, member] : kFaults) {
    earlier_faults_.*member = count_of(totals, "fault " + std::string(reason));
  }
}

}  // namespace pgconn::server_log
