// The table of classify(): what an entry must be to be an event. Constants; any thread.
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

// Who can have written it. A session's text may be its client's: RAISE LOG can say anything, but
// not without its user's name beside it.
enum class Writer { kAny, kSession, kServer };

struct Rule {
  std::optional<Event> event;  // nothing: it looks like one, but concerns no connection
  // An entry whose SQLSTATE is known must have this one, or begin with it where it is shorter;
  // empty: any. One whose SQLSTATE is not known is told by the text.
  std::string_view sqlstate;
  Severities severities;
  // English: what the message begins with, or with a `*` in front, what it contains. Empty: any,
  // then the SQLSTATE must be known.
  std::string_view text;
  Writer writer = Writer::kAny;
  int refusal = -1;  // a Refusal
};

// The first that fits counts. Exact texts stand before what a SQLSTATE alone says.
std::span<const Rule> rules();

}  // namespace pgconn::server_log
