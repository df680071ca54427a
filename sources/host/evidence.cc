#include "sources/host/evidence.h"

namespace pgconn::host {
namespace {

// How far a counter rose. One that fell was reset, and has risen to what it shows now.
std::optional<std::uint64_t> risen(std::optional<std::uint64_t> before,
                                   std::optional<std::uint64_t> after) {
  if (!before || !after) return std::nullopt;
  return *after >= *before ? *after - *before : *after;
}

std::optional<std::uint64_t> risen_in_cgroup(const CgroupMemory& before,
                                             const CgroupMemory& after) {
  if (before.id == after.id) return risen(before.oom_kills, after.oom_kills);
  // The server is in another cgroup now, as after a restart of its container or unit. Kills in the
  // new one are known; the count of the old one is gone.
  return after.oom_kills.value_or(0) > 0 ? after.oom_kills : std::nullopt;
}

bool may_be_of(const CgroupMemory& cgroup, const OomKill& kill) {
  return kill.cgroup.empty() || cgroup.path.empty() || kill.cgroup == cgroup.path;
}

}  // namespace

OomEvidence oom_between(const HostReading& before, const HostReading& after) {
  OomEvidence evidence;
  evidence.in_host = risen(before.host_oom_kills, after.host_oom_kills);
  evidence.in_cgroup = risen_in_cgroup(before.cgroup, after.cgroup);
  if (!before.kernel_log || !after.kernel_log) return evidence;
  for (const OomKill& kill : after.kernel_log->kills) {
    if (kill.sequence < before.kernel_log->next_sequence) continue;
    ++evidence.in_log;
    if (is_of_postgres(kill) && may_be_of(before.cgroup, kill))
      evidence.of_postgres.push_back(kill);
  }
  return evidence;
}

std::optional<bool> server_was_oom_killed(const OomEvidence& evidence) {
  if (evidence.in_cgroup) return *evidence.in_cgroup > 0;
  if (evidence.in_host == std::uint64_t{0}) return false;
  if (!evidence.of_postgres.empty()) return true;
  // A log may be empty because it is emulated: only kills that it reports are an answer.
  if (evidence.in_host && evidence.in_log >= *evidence.in_host) return false;
  return std::nullopt;
}

}  // namespace pgconn::host
