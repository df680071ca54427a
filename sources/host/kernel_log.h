// OOM kills as the kernel's log tells them: who was killed, when, by whose limit. KernelLog reads
// /dev/kmsg and belongs to one thread at a time; the parsing is pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/host/socket_dump.h"  // Deadline

namespace pgconn::host {

// One record of /dev/kmsg, "priority,sequence,microseconds,flags;text".
struct KernelRecord {
  std::uint64_t sequence = 0;
  std::chrono::microseconds since_boot{};
  bool by_kernel = false;   // false: a program wrote it there, and may say anything
  std::string_view text{};  // without what follows the first line; into the parsed bytes
};

// nullopt if malformed.
std::optional<KernelRecord> parse_kernel_record(std::string_view record);

struct OomKill {
  // Whose memory had run out: a cgroup's limit, or all of the host's.
  enum class Scope { kUnknown, kHost, kCgroup };
  int pid = 0;         // in the machine's outermost pid namespace
  std::string task{};  // its name, 15 bytes at most
  std::string
      cgroup{};  // its memory cgroup in the machine's naming; empty if not told (before 5.0)
  Scope scope = Scope::kUnknown;
  std::uint64_t sequence = 0;  // of the last record that told of it
  std::chrono::microseconds since_boot{};
  double unix_time = 0;  // to within a second, unless the machine has slept since
};

// The kill that a line tells of; nullopt for any other line, also for the older kernels'
// announcement ("Kill process … or sacrifice child"), which may end with another's death.
std::optional<OomKill> parse_oom_line(std::string_view text);

// True for a process of PostgreSQL, by its name.
bool is_of_postgres(const OomKill& kill);

// Adds a kill to those known. The kernel tells one in two lines: the same pid within ten seconds is
// the same kill. The oldest go once there are more than `limit`.
void add_kill(std::vector<OomKill>& kills, OomKill kill, std::size_t limit);

struct KernelLogLook {
  std::vector<OomKill> kills{};     // the last 64 that were ever read, oldest first
  std::uint64_t next_sequence = 0;  // what comes later has this number or a higher one
  bool overwritten = false;         // some records went before they could be read
  std::string error{};              // why the log cannot be read
};

// Adds what a record tells, if the kernel wrote it and it is not known yet. `boot` is the Unix time
// at which the log's clock was 0.
void take_record(std::string_view record, double boot, KernelLogLook& known);

class KernelLog {
 public:
  explicit KernelLog(std::string path);  // /dev/kmsg
  ~KernelLog();
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;

  // Reads what the log has gained; the first time all that is still in it. Never waits for a record
  // that is not there, and stops at the deadline or after 50,000 records: the rest comes next time.
  KernelLogLook look(Deadline deadline);

 private:
  bool open();
  // True if there may be more.
  bool read_one();

  std::string path_;
  int fd_ = -1;
  KernelLogLook known_;
};

}  // namespace pgconn::host
