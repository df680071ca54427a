// A metric family as the code declares it: name, type, unit, help, label names. Descriptors are
// constants, checked when they are compiled: a bad name or a counter without _total does not build.
// Immutable, so safe from every thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace pgconn::metrics {

enum class Type {
  kGauge,
  kCounter,    // absolute value of a counter; its name ends in _total
  kInfo,       // always 1, the labels carry the facts; its name ends in _info
  kHistogram,  // cumulative buckets
};

// The unit a name must carry as suffix (before _total). Base units only, as Prometheus asks.
enum class Unit { kNone, kSeconds, kBytes, kRatio };

// How two samples of one family become one, when series are folded into `other` or two label
// values turn out equal after cleaning: counts are summed, ages keep the largest.
enum class Fold { kSum, kMax, kMin };

inline constexpr std::size_t kMaxLabels = 8;

// A metric family. Make one with gauge(), counter(), info() or histogram() below.
struct Descriptor {
  std::string_view name;  // full name, with `_total` for a counter
  Type type = Type::kGauge;
  Unit unit = Unit::kNone;
  std::string_view help;  // one sentence, no newline
  std::array<std::string_view, kMaxLabels> label_names{};
  std::size_t label_count = 0;
  Fold fold = Fold::kSum;

  constexpr std::span<const std::string_view> labels() const {
    return std::span(label_names.data(), label_count);
  }
};

// True if two descriptors with the same name can share a family.
constexpr bool same_shape(const Descriptor& a, const Descriptor& b) {
  return a.type == b.type && std::ranges::equal(a.labels(), b.labels());
}

// True for labels whose values no operator limits (database, user, application, …).
// Families that carry one are capped (see cap.h).
constexpr bool is_open_ended(std::string_view label) {
  constexpr std::string_view names[] = {"database", "user",       "application", "client",
                                        "role",     "wait_event", "subject",     "sqlstate"};
  for (std::string_view name : names) {
    if (name == label) return true;
  }
  return false;
}

using Labels = std::initializer_list<std::string_view>;

consteval Descriptor gauge(std::string_view name, std::string_view help, Labels labels = {},
                           Unit unit = Unit::kNone, Fold fold = Fold::kSum);
consteval Descriptor counter(std::string_view name, std::string_view help, Labels labels = {},
                             Unit unit = Unit::kNone);
consteval Descriptor info(std::string_view name, std::string_view help, Labels labels);
consteval Descriptor histogram(std::string_view name, std::string_view help, Labels labels = {},
                               Unit unit = Unit::kSeconds);

}  // namespace pgconn::metrics

#include "metrics/descriptor_checks.h"  // IWYU pragma: export
