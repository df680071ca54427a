#include "sources/host/kernel_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

constexpr int kMostRecords = 50'000;
constexpr std::size_t kMostKills = 64;
constexpr std::size_t kLongestName = 15;

// Removes from `text` the field that ends with `separator`, and returns it; nullopt if there is
// none.
std::optional<std::string_view> take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end + 1);
  return field;
}

std::string name_of(std::string_view task) { return std::string(task.substr(0, kLongestName)); }

// "…Killed process 4711 (postgres) total-vm:…"
std::optional<OomKill> parse_killed(std::string_view text) {
  constexpr std::string_view kKilled = "Killed process ";
  const std::size_t at = text.find(kKilled);
  if (at == std::string_view::npos) return std::nullopt;
  OomKill kill;
  if (text.starts_with("Memory cgroup out of memory")) {
    kill.scope = OomKill::Scope::kCgroup;
  } else if (text.starts_with("Out of memory")) {
    kill.scope = OomKill::Scope::kHost;
  } else if (at != 0) {
    return std::nullopt;  // not the kernel's text
  }
  text.remove_prefix(at + kKilled.size());
  // Some releases put a comma and the user's number after the number.
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto pid = number<int>(text.substr(0, digits));
  const std::size_t open = text.find('(');
  // A name may itself contain parentheses.
  std::size_t close = text.rfind(") total-vm:");
  if (close == std::string_view::npos) close = text.rfind(')');
  if (!pid || open == std::string_view::npos || close == std::string_view::npos || close <= open) {
    return std::nullopt;
  }
  kill.pid = *pid;
  kill.task = name_of(text.substr(open + 1, close - open - 1));
  return kill;
}

// "oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/a,task_memcg=/a,task=postgres,pid=4711,uid=26"
std::optional<OomKill> parse_summary(std::string_view text) {
  if (!text.starts_with("oom-kill:constraint=")) return std::nullopt;
  // From the end: names of cgroups and tasks may contain commas and equal signs.
  const std::size_t pid_at = text.rfind(",pid=");
  const std::size_t uid_at = text.rfind(",uid=");
  const std::size_t task_at = text.rfind(",task=", pid_at);
  if (pid_at == std::string_view::npos || task_at == std::string_view::npos) return std::nullopt;
  const std::size_t pid_start = pid_at + 5;
  const std::size_t pid_end =
      uid_at != std::string_view::npos && uid_at > pid_at ? uid_at : text.size();
  const auto pid = number<int>(text.substr(pid_start, pid_end - pid_start));
  if (!pid) return std::nullopt;
  OomKill kill;
  kill.pid = *pid;
  kill.task = name_of(text.substr(task_at + 6, pid_at - task_at - 6));
  constexpr std::string_view kCgroup = ",task_memcg=";
  if (const std::size_t at = text.rfind(kCgroup, task_at); at != std::string_view::npos) {
    kill.cgroup = text.substr(at + kCgroup.size(), task_at - at - kCgroup.size());
  }
  kill.scope = text.starts_with("oom-kill:constraint=CONSTRAINT_MEMCG") ? OomKill::Scope::kCgroup
                                                                        : OomKill::Scope::kHost;
  return kill;
}

// The Unix time at which the log's clock was 0. Both it and the clock used here stop while the
// machine sleeps: after a sleep, older records seem later than they were.
double log_began() {
  using std::chrono::duration;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const double today =
      duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return today - static_cast<double>(now.tv_sec) - static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

std::optional<KernelRecord> parse_kernel_record(std::string_view record) {
  const auto priority = take_until(record, ',');
  const auto sequence = take_until(record, ',');
  if (!priority || !sequence) return std::nullopt;
  // Future kernels may add fields after the time.
  auto fields = take_until(record, ';');
  if (!fields) return std::nullopt;
  const auto facility = number<std::uint32_t>(*priority);
  const auto count = number<std::uint64_t>(*sequence);
  const auto micros = number<std::int64_t>(fields->substr(0, fields->find(',')));
  if (!facility || !count || !micros || *micros < 0) return std::nullopt;
  return KernelRecord{*count, std::chrono::microseconds(*micros), *facility < 8,
                      record.substr(0, record.find('\n'))};
}

std::optional<OomKill> parse_oom_line(std::string_view text) {
  if (auto kill = parse_summary(text)) return kill;
  return parse_killed(text);
}

bool is_of_postgres(const OomKill& kill) {
  return kill.task.find("postgres") != std::string::npos || kill.task == "postmaster";
}

void add_kill(std::vector<OomKill>& kills, OomKill kill, std::size_t limit) {
  constexpr std::chrono::seconds kSameKill{10};
  const auto same = std::find_if(kills.rbegin(), kills.rend(), [&](const OomKill& known) {
    return known.pid == kill.pid && kill.since_boot - known.since_boot <= kSameKill;
  });
  if (same != kills.rend()) {
    same->sequence = kill.sequence;
    if (same->cgroup.empty()) same->cgroup = std::move(kill.cgroup);
    if (same->scope == OomKill::Scope::kUnknown) same->scope = kill.scope;
    return;
  }
  kills.push_back(std::move(kill));
  if (kills.size() > limit) kills.erase(kills.begin());
}

void take_record(std::string_view bytes, double boot, KernelLogLook& known) {
  const auto record = parse_kernel_record(bytes);
  // After the device is opened again, it repeats its records.
  if (!record || record->sequence < known.next_sequence) return;
  known.next_sequence = record->sequence + 1;
  if (!record->by_kernel) return;
  auto kill = parse_oom_line(record->text);
  if (!kill) return;
  kill->sequence = record->sequence;
  kill->since_boot = record->since_boot;
  kill->unix_time = boot + std::chrono::duration<double>(record->since_boot).count();
  add_kill(known.kills, *std::move(kill), kMostKills);
}

KernelLog::KernelLog(std::string path) : path_(std::move(path)) {}

KernelLog::~KernelLog() {
  if (fd_ >= 0) ::close(fd_);
}

bool KernelLog::open() {
  if (fd_ >= 0) return true;
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    known_.error = "cannot read " + path_ + ": " + errno_text(errno);
    return false;
  }
  struct ::stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode)) {
    known_.error = path_ + " is not a device";
    ::close(fd);
    return false;
  }
  fd_ = fd;
  known_.error.clear();
  return true;
}

bool KernelLog::read_one() {
  std::array<char, 8192> buffer;  // one record at a time; the kernel requires room for the longest
  const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
  if (count > 0) {
    take_record({buffer.data(), static_cast<std::size_t>(count)}, log_began(), known_);
    return true;
  }
  if (count == 0 || errno == EAGAIN) return false;
  if (errno == EPIPE) known_.overwritten = true;
  // After these the next read returns the next record there is; EINVAL means a record that is too
  // long.
  if (errno == EPIPE || errno == EINTR || errno == EINVAL) return true;
  known_.error = "cannot read " + path_ + ": " + errno_text(errno);
  ::close(fd_);
  fd_ = -1;
  return false;
}

KernelLogLook KernelLog::look(Deadline deadline) {
  known_.overwritten = false;
  if (!open()) return known_;
  for (int count = 0; count < kMostRecords && std::chrono::steady_clock::now() < deadline;
       ++count) {
    if (!read_one()) break;
  }
  return known_;
}

}  // namespace pgconn::host
