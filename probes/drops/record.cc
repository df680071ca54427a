#include "probes/drops/record.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "postgres/reason_name.h"
#include "probes/drops/pooler_words.h"

namespace pgconn::probes {
namespace {

using SystemClock = std::chrono::system_clock;

constexpr std::size_t kMostShown = 20;

SystemClock::time_point date_of(const Incident& incident, Clock::time_point time) {
  return incident.began + std::chrono::duration_cast<SystemClock::duration>(time - incident.first);
}

std::string in_socket_words(const Drop& drop) {
  if (!went_unanswered(drop)) return std::string(postgres::reason_name(drop.error));
  if (!drop.acknowledged) return "no answer";
  return *drop.acknowledged ? "no answer, though the peer's kernel has acknowledged the query"
                            : "no answer, and the peer's kernel has not acknowledged the query";
}

Testimony of_connection(const Incident& incident, const Drop& drop) {
  Testimony piece;
  piece.at = date_of(incident, drop.at);
  piece.backend_pid = drop.backend_pid;
  piece.words = std::string(to_string(drop.probe)) + " ";
  if (const auto cause = cause_in_pooler_words(drop.error)) {
    piece.source = "pooler";
    piece.words += std::string(to_string(*cause)) + " " + drop.error.sqlstate();
  } else if (!drop.error.sqlstate().empty()) {
    piece.source = "server";
    piece.words += drop.error.sqlstate();
  } else {
    piece.source = "socket";
    piece.words += in_socket_words(drop);
  }
  return piece;
}

std::string clock_time(SystemClock::time_point at) {
  const auto since = at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t time = seconds.count();
  std::tm utc{};
  gmtime_r(&time, &utc);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds).count();
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(milliseconds));
  return text;
}

}  // namespace

std::vector<Testimony> record_of(const Incident& incident, const Evidence& evidence) {
  std::vector<Testimony> record = evidence.testimonies;
  for (const Drop& drop : evidence.drops) record.push_back(of_connection(incident, drop));
  std::ranges::stable_sort(record, {}, &Testimony::at);
  return record;
}

std::string to_string(const std::vector<Testimony>& record) {
  std::string text;
  for (std::size_t i = 0; i < std::min(record.size(), kMostShown); ++i) {
    const Testimony& piece = record[i];
    if (i > 0) text += "; ";
    text += clock_time(piece.at) + " " + std::string(piece.source) + ": " + piece.words;
  }
  if (record.size() > kMostShown) {
    text += "; and " + std::to_string(record.size() - kMostShown) + " more";
  }
  return text;
}

}  // namespace pgconn::probes
