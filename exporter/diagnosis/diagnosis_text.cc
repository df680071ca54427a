// A diagnosis for people and for programs.
#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "exporter/diagnosis/diagnosis.h"
#include "text/utf8.h"

namespace pgconn::exporter {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 10;

std::string_view colour_of(Urgency urgency) {
  switch (urgency) {
    case Urgency::kCritical:
      return "\x1b[1;31m";
    case Urgency::kWarning:
      return "\x1b[33m";
    case Urgency::kNotice:
      break;
  }
  return "\x1b[36m";
}

// Controls, which a terminal would obey, are shown as `?`.
std::string shown(std::string_view text) {
  std::string safe = text::repaired(text);
  std::ranges::replace_if(safe, [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }, '?');
  return safe;
}

// Broken between words; every line but the first begins with the indent.
std::string wrapped(const std::string& text) {
  std::string result;
  std::size_t column = kIndent;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word(text.data() + begin, end - begin);
    const bool first = column == kIndent;
    if (!first && column + 1 + word.size() > kWidth) {
      result += "\n" + std::string(kIndent, ' ');
      column = kIndent;
    } else if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    begin = end + 1;
  }
  return result;
}

std::string milliseconds(double seconds) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", seconds * 1000);
  return text.data();
}

std::string problem_text(const Problem& problem, bool colours) {
  std::string head(to_string(problem.urgency));
  std::ranges::transform(head, head.begin(),
                         [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  head.resize(kIndent, ' ');
  if (colours) head = std::string(colour_of(problem.urgency)) + head + "\x1b[0m";
  const std::string indent(kIndent, ' ');
  std::string text = head + wrapped(shown(problem.what)) + "\n";
  if (!problem.why.empty()) text += indent + wrapped(shown(problem.why)) + "\n";
  // In one line, so that it can be copied.
  if (!problem.fix.empty()) text += indent + "fix: " + shown(problem.fix) + "\n";
  return text + "\n";
}

std::string summary(const Diagnosis& diagnosis) {
  const auto count = [&](Urgency urgency) {
    return std::to_string(std::ranges::count(diagnosis.problems, urgency, &Problem::urgency));
  };
  return count(Urgency::kCritical) + " critical, " + count(Urgency::kWarning) + " warnings, " +
         count(Urgency::kNotice) + " notices\n";
}

}  // namespace

std::string diagnosis_text(const Diagnosis& diagnosis, bool colours) {
  std::string text = shown(diagnosis.address) + ", database " + shown(diagnosis.database) + "\n";
  if (!diagnosis.server.empty()) text += shown(diagnosis.server) + "\n";
  std::string phases;
  for (const auto& [phase, seconds] : diagnosis.phases) {
    phases += (phases.empty() ? "connected: " : ", ") + phase + " " + milliseconds(seconds);
  }
  if (!phases.empty()) text += phases + "\n";
  for (const std::string& line : diagnosis.seen) text += shown(line) + "\n";
  text += "\n";
  for (const Problem& problem : diagnosis.problems) text += problem_text(problem, colours);
  if (!diagnosis.unseen.empty()) {
    text += "Not looked at:\n";
    for (const std::string& line : diagnosis.unseen) text += "  " + shown(line) + "\n";
    text += "\n";
  }
  return text + summary(diagnosis);
}

std::string diagnosis_json(const Diagnosis& diagnosis) {
  using nlohmann::json;
  json problems = json::array();
  for (const Problem& problem : diagnosis.problems) {
    problems.push_back({{"urgency", to_string(problem.urgency)},
                        {"what", problem.what},
                        {"why", problem.why},
                        {"fix", problem.fix}});
  }
  json phases = json::object();
  for (const auto& [phase, seconds] : diagnosis.phases) phases[phase] = seconds;
  const json all = {{"address", diagnosis.address},     {"database", diagnosis.database},
                    {"server", diagnosis.server},       {"connect_seconds", std::move(phases)},
                    {"seen", diagnosis.seen},           {"problems", std::move(problems)},
                    {"not_looked_at", diagnosis.unseen}};
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace pgconn::exporter
