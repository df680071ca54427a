// What an entry means for connections: the SQLSTATE first, English text second. A log in another
// language is classified by its SQLSTATEs alone, as precisely as they allow. Pure functions; any
// thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sources/server_log/entry.h"
#include "sources/server_log/event.h"

namespace pgconn::server_log {

struct LoginDurations {
  std::array<std::chrono::microseconds, kLoginStages> stages{};  // by LoginStage
};

struct Classified {
  std::optional<Event> event;
  std::string_view sqlstate;  // a label value: empty, of PostgreSQL's list, or `other`
  std::optional<Refusal> refusal;
  std::optional<std::chrono::milliseconds> session;  // how long a session lasted that ended
  std::optional<LoginDurations> login;
  // Process numbers, for evidence and never for a metric. 0 if not in the log.
  std::int32_t subject = 0;  // the process that the event happened to
  std::int32_t actor = 0;    // which caused it: holds the lock, sent the signal (PostgreSQL 19)
  int signal = 0;            // the one that ended a backend
};

// Never fails: an entry that says nothing about connections has no event.
Classified classify(const Entry& entry);

}  // namespace pgconn::server_log
