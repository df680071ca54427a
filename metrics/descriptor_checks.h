// The rules that a Descriptor must follow, checked at compile time. Include descriptor.h, not this.
// A broken rule shows in the compiler's message as a call to the function of
// pgconn::metrics::invalid_descriptor that is named after it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "metrics/descriptor.h"
#include "text/ascii.h"
#include "text/utf8.h"

namespace pgconn::metrics {

// Never defined and not constexpr: a call to one ends constant evaluation.
namespace invalid_descriptor {
void name_must_start_with_pgconn_process_or_probe();
void name_must_be_lower_case_letters_digits_and_underscores();
void name_must_not_have_empty_words();
void name_ends_in_a_reserved_suffix();
void counter_must_end_in_total();
void only_a_counter_may_end_in_total();
void info_must_end_in_info();
void only_an_info_may_end_in_info();
void name_must_end_in_its_unit();
void name_ends_in_a_unit_that_is_not_declared();
void name_ends_in_a_unit_that_is_not_a_base_unit();
void help_must_not_be_empty();
void help_must_be_one_line_of_utf8();
void too_many_labels();
void info_needs_a_label();
void label_must_be_lower_case_letters_digits_and_underscores();
void label_must_not_start_with_underscore();
void label_is_reserved();
void label_appears_twice();
}  // namespace invalid_descriptor

// The suffix that a unit gives a name; empty for none.
constexpr std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::kNone:
      return "";
    case Unit::kSeconds:
      return "seconds";
    case Unit::kBytes:
      return "bytes";
    case Unit::kRatio:
      return "ratio";
  }
  return "";
}

// The name of the metric family as OpenMetrics knows it: without `_total` or `_info`.
constexpr std::string_view base_name(const Descriptor& descriptor) {
  std::string_view name = descriptor.name;
  for (std::string_view suffix : {std::string_view("_total"), std::string_view("_info")}) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

namespace descriptor_checks {

consteval bool is_word(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '_'; });
}

// True if the last word of `name` is `word`.
consteval bool has_last_word(std::string_view name, std::string_view word) {
  return name.ends_with(word) && name.size() > word.size() &&
         name[name.size() - word.size() - 1] == '_';
}

consteval void check_suffixes(const Descriptor& d) {
  using namespace invalid_descriptor;
  if (d.type == Type::kCounter && !has_last_word(d.name, "total")) counter_must_end_in_total();
  if (d.type != Type::kCounter && has_last_word(d.name, "total")) only_a_counter_may_end_in_total();
  if (d.type == Type::kInfo && !has_last_word(d.name, "info")) info_must_end_in_info();
  if (d.type != Type::kInfo && has_last_word(d.name, "info")) only_an_info_may_end_in_info();
  // Names that the sample lines of a counter or a histogram of the same base name would use.
  constexpr std::string_view reserved[] = {"sum", "count", "bucket", "created", "total", "info"};
  for (std::string_view word : reserved) {
    if (has_last_word(base_name(d), word)) name_ends_in_a_reserved_suffix();
  }
}

consteval void check_unit(const Descriptor& d) {
  using namespace invalid_descriptor;
  const std::string_view name = base_name(d);
  if (d.unit != Unit::kNone && !has_last_word(name, unit_name(d.unit))) {
    name_must_end_in_its_unit();
  }
  for (Unit unit : {Unit::kSeconds, Unit::kBytes, Unit::kRatio}) {
    if (unit != d.unit && has_last_word(name, unit_name(unit))) {
      name_ends_in_a_unit_that_is_not_declared();
    }
  }
  constexpr std::string_view scaled[] = {
      "nanoseconds", "microseconds", "milliseconds", "minutes",   "hours", "days",      "ns",
      "us",          "ms",           "kilobytes",    "megabytes", "kb",    "gigabytes", "percent"};
  for (std::string_view word : scaled) {
    if (has_last_word(name, word)) name_ends_in_a_unit_that_is_not_a_base_unit();
  }
}

consteval void check_name(const Descriptor& d) {
  using namespace invalid_descriptor;
  if (!d.name.starts_with("pgconn_") && !d.name.starts_with("process_") &&
      !d.name.starts_with("probe_")) {
    name_must_start_with_pgconn_process_or_probe();
  }
  if (!is_word(d.name)) name_must_be_lower_case_letters_digits_and_underscores();
  if (d.name.ends_with('_') || d.name.find("__") != std::string_view::npos) {
    name_must_not_have_empty_words();
  }
  check_suffixes(d);
  check_unit(d);
}

consteval void check_labels(const Descriptor& d) {
  using namespace invalid_descriptor;
  if (d.type == Type::kInfo && d.label_count == 0) info_needs_a_label();
  // `target` belongs to the exposition, `job` and `instance` to Prometheus, the rest to the
  // formats.
  constexpr std::string_view reserved[] = {"target", "job", "instance", "le", "quantile"};
  for (std::size_t i = 0; i < d.label_count; ++i) {
    const std::string_view label = d.label_names[i];
    if (label.starts_with('_')) label_must_not_start_with_underscore();
    if (label.empty() || !is_word(label) || text::is_digit(label.front())) {
      label_must_be_lower_case_letters_digits_and_underscores();
    }
    if (std::ranges::find(reserved, label) != std::end(reserved)) label_is_reserved();
    const auto earlier = d.labels().first(i);
    if (std::ranges::find(earlier, label) != earlier.end()) label_appears_twice();
  }
}

consteval Descriptor checked(Descriptor d, Labels labels) {
  using namespace invalid_descriptor;
  if (labels.size() > kMaxLabels) too_many_labels();
  std::ranges::copy(labels, d.label_names.begin());
  d.label_count = labels.size();
  check_name(d);
  check_labels(d);
  if (d.help.empty()) help_must_not_be_empty();
  if (!text::is_exposable(d.help) || d.help.find_first_of("\r\n") != std::string_view::npos) {
    help_must_be_one_line_of_utf8();
  }
  return d;
}

}  // namespace descriptor_checks

consteval Descriptor gauge(std::string_view name, std::string_view help, Labels labels, Unit unit,
                           Fold fold) {
  return descriptor_checks::checked(
      {.name = name, .type = Type::kGauge, .unit = unit, .help = help, .fold = fold}, labels);
}

consteval Descriptor counter(std::string_view name, std::string_view help, Labels labels,
                             Unit unit) {
  return descriptor_checks::checked(
      {.name = name, .type = Type::kCounter, .unit = unit, .help = help}, labels);
}

consteval Descriptor info(std::string_view name, std::string_view help, Labels labels) {
  // Two equal facts are one fact: folding must not add them up to 2.
  return descriptor_checks::checked(
      {.name = name, .type = Type::kInfo, .help = help, .fold = Fold::kMax}, labels);
}

consteval Descriptor histogram(std::string_view name, std::string_view help, Labels labels,
                               Unit unit) {
  return descriptor_checks::checked(
      {.name = name, .type = Type::kHistogram, .unit = unit, .help = help}, labels);
}

}  // namespace pgconn::metrics
