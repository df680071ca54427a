#include "sources/host/processes.h"

#include <dirent.h>

#include <memory>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

constexpr std::size_t kMostProcesses = 100'000;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::string file_of(const std::string& procfs, int pid, std::string_view file) {
  return procfs + "/" + std::to_string(pid) + "/" + std::string(file);
}

// The words after `key` in a file such as /proc/PID/status.
std::vector<std::string_view> words_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    auto found = words(take_line(text));
    if (!found.empty() && found.front() == key) {
      found.erase(found.begin());
      return found;
    }
  }
  return {};
}

}  // namespace

std::optional<Process> parse_process_stat(std::string_view stat) {
  // The second field is the name in parentheses, which may itself contain parentheses and spaces.
  const std::size_t open = stat.find(" (");
  const std::size_t close = stat.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return std::nullopt;
  }
  const auto pid = number<int>(stat.substr(0, open));
  const auto fields = words(stat.substr(close + 1));  // from the third on
  if (!pid || fields.size() < 20) return std::nullopt;
  const auto parent = number<int>(fields[1]);
  const auto start = number<std::uint64_t>(fields[19]);
  if (!parent || !start) return std::nullopt;
  return Process{*pid, *parent, std::string(stat.substr(open + 2, close - open - 2)), *start};
}

std::vector<int> parse_namespace_pids(std::string_view status) {
  std::vector<int> pids;
  for (const std::string_view word : words_of(status, "NSpid:")) {
    const auto pid = number<int>(word);
    if (!pid) return {};
    pids.push_back(*pid);
  }
  return pids;
}

std::optional<std::uint32_t> parse_user(std::string_view status) {
  const auto ids = words_of(status, "Uid:");  // real, effective, saved, of the file system
  return ids.size() == 4 ? number<std::uint32_t>(ids[1]) : std::nullopt;
}

std::optional<double> parse_boot_time(std::string_view stat) {
  const auto seconds = keyed_number(stat, "btime");
  return seconds ? std::optional(static_cast<double>(*seconds)) : std::nullopt;
}

std::optional<Process> read_process(const std::string& procfs, int pid) {
  auto process = parse_process_stat(read_proc_file(file_of(procfs, pid, "stat")).text);
  return process && process->pid == pid ? process : std::nullopt;
}

std::optional<int> read_oom_score_adj(const std::string& procfs, int pid) {
  const auto value = only_number(read_proc_file(file_of(procfs, pid, "oom_score_adj")).text);
  if (!value || *value < -1000 || *value > 1000) return std::nullopt;
  return static_cast<int>(*value);
}

std::vector<int> list_processes(const std::string& procfs) {
  std::vector<int> pids;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(procfs.c_str()));
  if (!directory) return pids;
  while (const dirent* entry = readdir(directory.get())) {
    if (const auto pid = number<int>(entry->d_name); pid && *pid > 0) pids.push_back(*pid);
    if (pids.size() >= kMostProcesses) break;
  }
  return pids;
}

std::optional<std::vector<int>> children_of(const std::string& procfs, int pid, Deadline deadline) {
  std::vector<int> children;
  const std::string task = "task/" + std::to_string(pid) + "/children";
  if (const FileText file = read_proc_file(file_of(procfs, pid, task)); file.ok()) {
    for (const std::string_view word : words(file.text)) {
      if (const auto child = number<int>(word)) children.push_back(*child);
    }
    return children;
  }
  // Some kernels are built without that file.
  const std::vector<int> all = list_processes(procfs);
  if (all.empty()) return std::nullopt;
  for (const int other : all) {
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    const auto process = read_process(procfs, other);
    if (process && process->parent == pid) children.push_back(other);
  }
  return children;
}

}  // namespace pgconn::host
