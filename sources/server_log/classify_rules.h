// The table of classify(): which entries are which events. Constants; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "sources/server_log/entry.h"
#include "sources/server_log/event.h"

namespace pgconn::server_log {

// A set of severities, as bits. An entry whose severity is unknown (in a language not known here)
// is in every set.
using Severities = unsigned;
constexpr Severities bit(Severity severity) { return 1U << static_cast<unsigned>(severity); }

// Who can have written an entry. A session's text may come from its client: RAISE LOG can say
// anything, but never without the user's name beside it.
enum class Writer { kAny, kSession, kServer };

struct Rule {
  std::optional<Event> event;  // nothing: looks like an event, but concerns no connection
  // An entry whose SQLSTATE is known must have this one, or one that begins with it if it is
  // shorter; empty: any. An entry without a known SQLSTATE is matched by its text.
  std::string_view sqlstate;
  Severities severities;
  // English: what the message begins with, or with a `*` in front, what it contains. Empty: any,
  // then the SQLSTATE must be known.
  std::string_view text;
  Writer writer = Writer::kAny;
  int refusal = -1;  // a Refusal
};

// The first rule that fits counts. Exact texts come before rules by SQLSTATE alone.
std::span<const Rule> rules();

}  // namespace pgconn::server_log
