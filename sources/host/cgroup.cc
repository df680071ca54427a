#include "sources/host/cgroup.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "sources/host/proc_text.h"

namespace pgconn::host {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostVisited = 50'000;

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

// `path` as seen from `root`; nullopt if it is not below it, or if that is unclear.
std::optional<std::string> below(const std::string& path, std::string_view root) {
  if (root == "/") root = "";
  if (!is_at_or_below(path, root)) return std::nullopt;
  std::string rest = path.substr(root.size());
  if (rest == "/") rest.clear();
  if ((rest + "/").find("/../") != std::string::npos) return std::nullopt;
  return rest;
}

// How many levels a path leads up before it goes down, and the rest of it.
struct Climb {
  std::size_t levels = 0;
  std::string_view rest{};
};

Climb climb(std::string_view path) {
  Climb climbed{0, path};
  while (is_at_or_below(climbed.rest, "/..")) {
    ++climbed.levels;
    climbed.rest.remove_prefix(3);
  }
  return climbed;
}

// As below(), for two paths that both lead up, with `path` some levels lower than `root`.
std::optional<Climb> below_unknown(const std::string& path, std::string_view root) {
  const Climb of_root = climb(root);
  const Climb of_path = climb(path);
  // Without a name in `path`, any directory at that level would match.
  if (!of_root.rest.empty() || of_path.rest.size() < 2 || of_root.levels <= of_path.levels ||
      of_root.levels > kDeepest) {
    return std::nullopt;
  }
  if ((std::string(of_path.rest) + "/").find("/../") != std::string::npos) return std::nullopt;
  return Climb{of_root.levels - of_path.levels, of_path.rest};
}

MemoryCgroup located(const Mount& mount, const std::string& path, bool by_name) {
  MemoryCgroup cgroup{.version = mount.version, .mount = mount.point, .path = path};
  if (by_name) {
    if (const auto rest = below(path, mount.root)) {
      cgroup.directory = mount.point + *rest;
      return cgroup;
    }
  } else if (const auto lower = below_unknown(path, mount.root)) {
    cgroup.unknown_levels = lower->levels;
    cgroup.tail = lower->rest;
    return cgroup;
  }
  return {};
}

// The process's cgroup of `version`, whose path is `path`, in the first mount that shows it.
MemoryCgroup find_in(int version, const std::string& path, std::string_view mounts,
                     std::string_view under, bool by_name) {
  while (!mounts.empty()) {
    const auto mount = memory_mount(take_line(mounts));
    if (!mount || mount->version != version || !is_at_or_below(mount->point, under)) continue;
    MemoryCgroup cgroup = located(*mount, path, by_name);
    if (cgroup.version != 0) return cgroup;
  }
  return {};
}

// Adds the directories that many levels below `parent`; false if there are too many to look at.
bool descend(const std::filesystem::path& parent, std::size_t levels, std::size_t& visited,
             std::vector<std::filesystem::path>& found) {
  if (levels == 0) {
    found.push_back(parent);
    return true;
  }
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    if (++visited > kMostVisited) return false;
    std::error_code ignored;
    if (!entry->is_directory(ignored) || entry->is_symlink(ignored)) continue;
    if (!descend(entry->path(), levels - 1, visited, found)) return false;
  }
  return true;
}

}  // namespace

MemoryCgroup find_memory_cgroup(std::string_view process_cgroups, std::string_view mounts,
                                std::string_view under) {
  // With both versions mounted, memory is version 1's: a controller is in only one hierarchy.
  auto path = path_in(process_cgroups, 1);
  const int version = path ? 1 : 2;
  if (!path) path = path_in(process_cgroups, 2);
  if (!path) return {.error = "the server is in no memory cgroup"};
  for (const bool by_name : {true, false}) {
    for (const std::string_view folder : {under, std::string_view()}) {
      MemoryCgroup cgroup = find_in(version, *path, mounts, folder, by_name);
      if (cgroup.version != 0) return cgroup;
    }
  }
  return {.error = "no memory cgroup of the server's is mounted where we can see it"};
}

MemoryCgroup search(MemoryCgroup cgroup) {
  if (cgroup.version == 0 || cgroup.unknown_levels == 0) return cgroup;
  std::vector<std::filesystem::path> parents;
  std::size_t visited = 0;
  const bool all = descend(cgroup.mount, cgroup.unknown_levels, visited, parents);
  std::vector<std::string> found;
  for (const auto& parent : parents) {
    std::error_code error;
    const std::string directory = parent.string() + cgroup.tail;
    if (std::filesystem::is_directory(directory, error)) found.push_back(directory);
  }
  if (!all || found.size() != 1) {
    return {.error = "which cgroup under " + cgroup.mount +
                     " is the server's cannot be told from " + cgroup.path};
  }
  cgroup.directory = found.front();
  return cgroup;
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
