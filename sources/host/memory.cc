#include "sources/host/memory.h"

#include <sys/stat.h>

#include <algorithm>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

constexpr std::string_view kSettings[] = {
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_abort_on_overflow",
    "net.core.somaxconn",
    "vm.overcommit_memory",
    "vm.overcommit_ratio",
    "vm.overcommit_kbytes",
    "vm.oom_kill_allocating_task",
    "vm.panic_on_oom",
    "vm.swappiness",
};

std::optional<std::uint64_t> kilobytes(std::string_view text, std::string_view key) {
  const auto count = keyed_number(text, key);
  if (!count || *count > kNoLimit / 1024) return std::nullopt;
  return *count * 1024;
}

std::optional<std::uint64_t> alone(std::string_view text) {
  const auto found = words(text);
  return found.size() == 1 ? number<std::uint64_t>(found.front()) : std::nullopt;
}

void read_kills(const std::string& path, CgroupMemory& memory) {
  const FileText file = read_proc_file(path);
  memory.oom_kills = keyed_number(file.text, "oom_kill");
  if (memory.oom_kills) return;
  // Linux counts them here since 4.13, and in the topmost cgroup of version 2 not at all.
  memory.error = file.ok() ? path + " does not count OOM kills" : file.error;
}

}  // namespace

HostMemory parse_meminfo(std::string_view meminfo) {
  return {.total = kilobytes(meminfo, "MemTotal:"),
          .available = kilobytes(meminfo, "MemAvailable:"),
          .swap_total = kilobytes(meminfo, "SwapTotal:"),
          .swap_free = kilobytes(meminfo, "SwapFree:"),
          .commit_limit = kilobytes(meminfo, "CommitLimit:"),
          .committed = kilobytes(meminfo, "Committed_AS:")};
}

std::optional<std::uint64_t> parse_limit(std::string_view text) {
  const auto limit = alone(text);
  return limit && *limit < kNoLimit ? limit : std::nullopt;
}

CgroupMemory read_cgroup_memory(const MemoryCgroup& cgroup) {
  CgroupMemory memory;
  if (cgroup.version == 0) {
    memory.error = cgroup.error;
    return memory;
  }
  struct ::stat status{};
  if (::stat(cgroup.directory.c_str(), &status) == 0) memory.id = status.st_ino;
  const bool v1 = cgroup.version == 1;
  for (const std::string& directory : with_ancestors(cgroup)) {
    const auto limit = parse_limit(
        read_proc_file(directory + (v1 ? "/memory.limit_in_bytes" : "/memory.max")).text);
    if (limit) memory.limit = std::min(*limit, memory.limit.value_or(*limit));
  }
  const std::string used = v1 ? "/memory.usage_in_bytes" : "/memory.current";
  memory.used = alone(read_proc_file(cgroup.directory + used).text);
  read_kills(cgroup.directory + (v1 ? "/memory.oom_control" : "/memory.events"), memory);
  return memory;
}

std::optional<std::uint64_t> usable_memory(const HostMemory& host, const CgroupMemory& cgroup) {
  if (!host.total || !cgroup.limit) return host.total ? host.total : cgroup.limit;
  return std::min(*host.total, *cgroup.limit);
}

std::vector<KernelSetting> read_kernel_settings(const std::string& procfs, bool network) {
  std::vector<KernelSetting> settings;
  for (const std::string_view name : kSettings) {
    if (name.starts_with("net.") && !network) continue;
    std::string path = procfs + "/sys/";
    path += name;
    std::replace(path.end() - static_cast<std::ptrdiff_t>(name.size()), path.end(), '.', '/');
    const auto value = only_number(read_proc_file(path).text);
    if (value) settings.push_back({name, *value});
  }
  return settings;
}

std::optional<std::int64_t> value_of(const std::vector<KernelSetting>& settings,
                                     std::string_view name) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [name](const KernelSetting& s) { return s.name == name; });
  return found == settings.end() ? std::nullopt : std::optional(found->value);
}

}  // namespace pgconn::host
