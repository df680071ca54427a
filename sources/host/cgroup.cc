#include "sources/host/cgroup.h"

#include <algorithm>
#include <optional>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

constexpr std::size_t kDeepest = 64;

struct Mount {
  int version;
  std::string root;
  std::string point;
};

// mountinfo writes a space, tab, newline and backslash as \ and three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      plain +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(','), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// A line of mountinfo: "36 35 98:0 /root /point options… - type source options".
std::optional<Mount> memory_mount(std::string_view line) {
  const auto fields = words(line);
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
  const std::string_view type = dash[1];
  const bool version1 = type == "cgroup" && lists(dash[3], "memory");
  if (!version1 && type != "cgroup2") return std::nullopt;
  return Mount{version1 ? 1 : 2, unescaped(fields[3]), unescaped(fields[4])};
}

// The process's path in the memory hierarchy of that version. Lines: "4:memory:/path", "0::/path".
std::optional<std::string> path_in(std::string_view cgroups, int version) {
  while (!cgroups.empty()) {
    const std::string_view line = take_line(cgroups);
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool fits = version == 1 ? lists(controllers, "memory") : line.starts_with("0::");
    if (fits) return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

// `path` as seen from `root`; nullopt if it is not below it, or that cannot be told.
std::optional<std::string> below(const std::string& path, std::string_view root) {
  if (root == "/") root = "";
  if (!is_at_or_below(path, root)) return std::nullopt;
  std::string rest = path.substr(root.size());
  if (rest == "/") rest.clear();
  if ((rest + "/").find("/../") != std::string::npos) return std::nullopt;
  return rest;
}

}  // namespace

MemoryCgroup find_memory_cgroup(std::string_view process_cgroups, std::string_view mounts,
                                std::string_view under) {
  std::optional<Mount> chosen;
  std::string directory;
  std::string chosen_path;
  while (!mounts.empty()) {
    const auto mount = memory_mount(take_line(mounts));
    if (!mount || !is_at_or_below(mount->point, under)) continue;
    // With both mounted, memory is version 1's: one controller is in one hierarchy.
    if (chosen && chosen->version <= mount->version) continue;
    const auto path = path_in(process_cgroups, mount->version);
    const auto rest = path ? below(*path, mount->root) : std::nullopt;
    if (!rest) continue;
    chosen = mount;
    directory = mount->point + *rest;
    chosen_path = *path;
  }
  if (!chosen) {
    return {.error = "no memory cgroup of the server's is mounted under " + std::string(under)};
  }
  return {chosen->version, directory, chosen->point, chosen_path, ""};
}

std::vector<std::string> with_ancestors(const MemoryCgroup& cgroup) {
  std::vector<std::string> directories;
  std::string directory = cgroup.directory;
  while (is_at_or_below(directory, cgroup.mount) && directories.size() < kDeepest) {
    directories.push_back(directory);
    const std::size_t slash = directory.rfind('/');
    if (directory.size() == cgroup.mount.size() || slash == std::string::npos) break;
    directory.resize(slash);
  }
  return directories;
}

}  // namespace pgconn::host
