#include "exporter/own_metrics/process_metrics.h"

#include <dirent.h>
#include <unistd.h>

#include <charconv>
#include <limits>
#include <system_error>
#include <vector>

#include "files/bounded_file.h"
#include "text/words.h"

namespace pgconn::exporter {
namespace {

using metrics::Unit;

constexpr auto kCpu =
    metrics::counter("process_cpu_seconds_total", "User and system CPU time spent by the exporter.",
                     {}, Unit::kSeconds);
constexpr auto kResident = metrics::gauge("process_resident_memory_bytes",
                                          "Resident memory of the exporter.", {}, Unit::kBytes);
constexpr auto kVirtual = metrics::gauge("process_virtual_memory_bytes",
                                         "Virtual memory of the exporter.", {}, Unit::kBytes);
constexpr auto kMaxVirtual = metrics::gauge(
    "process_virtual_memory_max_bytes",
    "Virtual memory the exporter may have; +Inf if there is no limit.", {}, Unit::kBytes);
constexpr auto kOpenFds =
    metrics::gauge("process_open_fds", "File descriptors the exporter has open.");
constexpr auto kMaxFds =
    metrics::gauge("process_max_fds", "File descriptors the exporter may have open.");
constexpr auto kStartTime = metrics::gauge(
    "process_start_time_seconds", "Unix time when the exporter started.", {}, Unit::kSeconds);
constexpr const metrics::Descriptor* kDescriptors[] = {
    &kCpu, &kResident, &kVirtual, &kMaxVirtual, &kOpenFds, &kMaxFds, &kStartTime};

// Far more than the longest of them needs: /proc/stat has a line a CPU and a number an interrupt.
constexpr std::size_t kMaxProcFile = std::size_t{1024} * 1024;

std::string read_file(const char* path) {
  try {
    return files::read_bounded_regular_file(path, kMaxProcFile).value_or("");
  } catch (const std::system_error&) {
    return "";  // without /proc there are no such metrics
  }
}

std::optional<double> count_open_fds() {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  double count = -1;  // the directory's own descriptor
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(directory);
  return count;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// The words after `prefix` in the first line that starts with it.
std::vector<std::string_view> line_after(std::string_view lines, std::string_view prefix) {
  while (!lines.empty()) {
    const std::string_view line = text::take_line(lines);
    if (line.starts_with(prefix)) return text::words(line.substr(prefix.size()));
  }
  return {};
}

// The fields of /proc/self/stat from the third on. The second, the name, may contain anything.
class StatFields {
 public:
  explicit StatFields(std::string_view stat) {
    const std::size_t name_end = stat.rfind(')');
    if (name_end != std::string_view::npos) words_ = text::words(stat.substr(name_end + 1));
  }
  // A field by its number in proc(5).
  std::optional<double> field(std::size_t position) const {
    return position - 3 < words_.size() ? number(words_[position - 3]) : std::nullopt;
  }

 private:
  std::vector<std::string_view> words_;
};

std::optional<double> soft_limit(std::string_view limits, std::string_view name) {
  const auto values = line_after(limits, name);
  if (values.empty()) return std::nullopt;
  if (values.front() == "unlimited") return std::numeric_limits<double>::infinity();
  return number(values.front());
}

}  // namespace

ProcessFiles read_process_files() {
  ProcessFiles files;
  files.stat = read_file("/proc/self/stat");
  files.limits = read_file("/proc/self/limits");
  files.system_stat = read_file("/proc/stat");
  files.open_fds = count_open_fds();
  files.ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  files.page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  return files;
}

ProcessFacts parse_process_files(const ProcessFiles& files) {
  const StatFields stat(files.stat);
  ProcessFacts facts;
  const auto user = stat.field(14);
  const auto system = stat.field(15);
  if (user && system) facts.cpu_seconds = (*user + *system) / files.ticks_per_second;
  const auto start = stat.field(22);
  const auto boot_line = line_after(files.system_stat, "btime ");
  const auto boot = boot_line.empty() ? std::nullopt : number(boot_line.front());
  if (start && boot) facts.start_time = *boot + *start / files.ticks_per_second;
  facts.virtual_bytes = stat.field(23);
  if (const auto pages = stat.field(24)) facts.resident_bytes = *pages * files.page_bytes;
  facts.max_virtual_bytes = soft_limit(files.limits, "Max address space ");
  facts.open_fds = files.open_fds;
  facts.max_fds = soft_limit(files.limits, "Max open files ");
  return facts;
}

void add_process_metrics(const ProcessFacts& facts, metrics::MetricBatch& batch) {
  const auto add = [&batch](const metrics::Descriptor& descriptor, std::optional<double> value) {
    if (value) batch.add(descriptor, *value);
  };
  add(kCpu, facts.cpu_seconds);
  add(kResident, facts.resident_bytes);
  add(kVirtual, facts.virtual_bytes);
  add(kMaxVirtual, facts.max_virtual_bytes);
  add(kOpenFds, facts.open_fds);
  add(kMaxFds, facts.max_fds);
  add(kStartTime, facts.start_time);
}

std::span<const metrics::Descriptor* const> process_descriptors() { return kDescriptors; }

}  // namespace pgconn::exporter
