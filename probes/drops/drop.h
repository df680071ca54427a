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
  // How it ended: reason, SQLSTATE, the server's last message; phase kIdle if nothing was asked,
  // kQuery if it was seen when (or while) asking.
  postgres::PgError error;
  Clock::time_point at{};  // when it was noticed
  // From its last answer until the next query, or until a loss that came without one.
  Clock::duration silent_for{};
  bool in_transaction = false;
  Clock::time_point opened{};  // absent: long ago
  // The longest silence that our keepalives left on its path; absent: none were sent.
  std::optional<Clock::duration> keepalive_gap = {};
  int backend_pid = 0;        // the server's process; 0: not known, or made up by a pooler
  std::string endpoint = {};  // as in postgres::EndpointError; empty: not known
  // When the attempt that opened it began, which bounds its age. Absent: long ago.
  Clock::time_point dialed = {};
  // If it went unanswered: when the query was sent, and whether the peer's kernel acknowledged it.
  std::optional<Clock::time_point> asked = {};
  std::optional<bool> acknowledged = {};
};

}  // namespace pgconn::probes
