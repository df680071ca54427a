// OOM kills in the kernel's log: which process was killed, when, by which limit. KernelLog reads
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
  std::string_view text{};  // the first line only; a view into the parsed bytes
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
  std::uint64_t sequence = 0;  // of the last record about it
  std::chrono::microseconds since_boot{};
  double unix_time = 0;  // to within a second, unless the machine has slept since
};

// The kill that a line reports; nullopt for any other line, including the announcement of older
// kernels ("Kill process … or sacrifice child"), after which another process may be killed.
std::optional<OomKill> parse_oom_line(std::string_view text);

// True for a process of PostgreSQL, by its name.
bool is_of_postgres(const OomKill& kill);

// Adds a kill to those known. The kernel reports each in two lines: the same pid within ten seconds
// is the same kill. Above `limit`, the oldest are dropped.
void add_kill(std::vector<OomKill>& kills, OomKill kill, std::size_t limit);

struct KernelLogLook {
  std::vector<OomKill> kills{};     // the last 64 that were ever read, oldest first
  std::uint64_t next_sequence = 0;  // later records have this number or a higher one
  bool overwritten = false;         // some records were lost before they could be read
  std::string error{};              // why the log cannot be read
};

// Adds what a record reports, if the kernel wrote it and it is not known yet. `boot` is the Unix
// time at which the log's clock was 0.
void take_record(std::string_view record, double boot, KernelLogLook& known);

class KernelLog {
 public:
  explicit KernelLog(std::string path);  // /dev/kmsg
  ~KernelLog();
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;

  // Reads what is new in the log, the first time all that is still in it. Never waits for a record,
  // and stops at the deadline or after 50,000 records: the rest comes next time.
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
