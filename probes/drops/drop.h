// The loss of a connection that a probe held. Values; any thread.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/error.h"

namespace pgconn::probes {

using Clock = std::chrono::steady_clock;

enum class ProbeKind { kConnect, kRoundtrip, kIdle, kLongquery, kCertificate };

inline constexpr std::array kProbeKinds = {ProbeKind::kConnect, ProbeKind::kRoundtrip,
                                           ProbeKind::kIdle, ProbeKind::kLongquery,
                                           ProbeKind::kCertificate};

std::string_view to_string(ProbeKind probe);  // label value: "connect", "roundtrip", "idle", …

// One established connection, lost exactly once, and never by our own doing (Reason::kStopped).
struct Drop {
  ProbeKind probe = ProbeKind::kRoundtrip;
  // How it ended: reason, SQLSTATE, the server's last words; phase kIdle if nothing was asked,
  // kQuery if it was seen when (or while) asking.
  postgres::PgError error;
  Clock::time_point at{};  // when it was noticed
  // From its last answer until it was asked again, or until the loss came unasked.
  Clock::duration silent_for{};
  bool in_transaction = false;
  Clock::time_point opened{};  // absent: long ago
  // Our keepalives left no longer silence than this on its path; absent: none were sent.
  std::optional<Clock::duration> keepalive_gap = {};
  int backend_pid = 0;        // the server's process; 0: not known, or made up by a pooler
  std::string endpoint = {};  // where it led, as postgres::EndpointError has it; empty: not known
  // When the attempt began that opened it: it was no older than since then. Absent: long ago.
  Clock::time_point dialed = {};
  // If it went unanswered: when it was asked, and whether the peer's kernel took the question.
  std::optional<Clock::time_point> asked = {};
  std::optional<bool> acknowledged = {};
};

}  // namespace pgconn::probes
