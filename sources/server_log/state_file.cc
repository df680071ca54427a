#include "sources/server_log/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sources/server_log/local_store.h"

namespace pgconn::server_log {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kLargest = std::size_t{4} << 20;
constexpr std::size_t kMostPositions = 10'000;

std::string failed(const char* what, const std::string& path) {
  return std::string("cannot ") + what + " " + path + ": " + std::strerror(errno);
}

json encoded(const Position& position) {
  if (!position.cursor.empty()) return {{"path", position.path}, {"cursor", position.cursor}};
  return {{"device", position.id.device},
          {"inode", position.id.inode},
          {"path", position.path},
          {"offset", position.offset},
          {"head_bytes", position.print.length},
          {"head_hash", position.print.hash}};
}

Position decoded(const json& value) {
  Position position;
  if (value.contains("cursor")) {
    position.path = value.at("path").get<std::string>();
    position.cursor = value.at("cursor").get<std::string>();
    return position;
  }
  position.id.device = value.at("device").get<std::uint64_t>();
  position.id.inode = value.at("inode").get<std::uint64_t>();
  position.path = value.at("path").get<std::string>();
  position.offset = value.at("offset").get<std::uint64_t>();
  position.print.length = value.at("head_bytes").get<std::uint32_t>();
  position.print.hash = value.at("head_hash").get<std::uint64_t>();
  return position;
}

// Reads a whole file of at most kLargest bytes; nothing and errno if that fails.
std::optional<std::string> contents(const std::string& path) {
  const Descriptor file = open_log(path);
  struct stat facts{};
  if (!file.is_open() || ::fstat(file.number(), &facts) != 0) return std::nullopt;
  errno = EFBIG;
  if (!S_ISREG(facts.st_mode) || facts.st_size > static_cast<off_t>(kLargest)) return std::nullopt;
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  const ssize_t got = ::pread(file.number(), text.data(), text.size(), 0);
  if (got < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(got));
  return text;
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string encode(const State& state) {
  json positions = json::array();
  for (const Position& position : state.history.positions) positions.push_back(encoded(position));
  const auto at =
      std::chrono::duration_cast<std::chrono::milliseconds>(state.history.at.time_since_epoch());
  const json whole = {{"version", kVersion},
                      {"server", state.server},
                      {"at_milliseconds", at.count()},
                      {"files", positions},
                      {"totals", state.totals}};
  // A path may not be valid UTF-8: it is only for people, files are identified by their numbers.
  return whole.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<State> decode(std::string_view text) {
  try {
    const json whole = json::parse(text);
    if (whole.at("version").get<int>() != kVersion) return std::nullopt;
    State state;
    state.server = whole.at("server").get<std::string>();
    const auto at = whole.at("at_milliseconds").get<std::int64_t>();
    // Beyond this a time_point would overflow.
    if (at < 0 || at > 7'000'000'000'000) return std::nullopt;
    state.history.at = TimePoint(std::chrono::milliseconds(at));
    const json& files = whole.at("files");
    if (!files.is_array() || files.size() > kMostPositions) return std::nullopt;
    for (const json& file : files) state.history.positions.push_back(decoded(file));
    for (const auto& [key, value] : whole.at("totals").items()) {
      const auto total = value.get<double>();
      if (!std::isfinite(total) || total < 0) return std::nullopt;
      state.totals.emplace(key, total);
    }
    return state;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

StateRead read_state(const std::string& path, std::string_view server) {
  const auto text = contents(path);
  if (!text) {
    if (errno == ENOENT) return {};
    return {std::nullopt,
            failed("read the state file", path) + "; the log is followed from its end on"};
  }
  auto state = decode(*text);
  if (!state) {
    return {std::nullopt, "the state file " + path +
                              " is damaged; the log is followed from its end on, and counts begin "
                              "at 0"};
  }
  if (state->server != server) {
    return {std::nullopt, "the state file " + path +
                              " is of another server; give each its own. The log is followed from "
                              "its end on, and counts begin at 0"};
  }
  return {std::move(state), ""};
}

std::string write_state(const std::string& path, const State& state) {
  const std::string beside = path + ".new";
  {
    const Descriptor file(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return failed("write the state file", beside);
    if (!write_all(file.number(), encode(state)) || ::fsync(file.number()) != 0) {
      return failed("write the state file", beside);
    }
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) return failed("replace the state file", path);
  // The rename is on the disk once the directory is.
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor directory(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.number());
  return {};
}

}  // namespace pgconn::server_log
