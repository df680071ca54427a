// Follows the log files that patterns find as they are created, grow, are rotated (a new name,
// renamed, copied and truncated) or deleted. One thread; it does I/O, but reads no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sources/server_log/followed_file.h"
#include "sources/server_log/listing.h"
#include "sources/server_log/parser.h"
#include "sources/server_log/position.h"
#include "sources/server_log/prefix.h"

namespace pgconn::server_log {

// What keeps the log from being read as it should. Each is reported once until it is over.
enum class Trouble { kMissing, kDenied, kUnreadable, kFormat, kSeveralFormats, kState };
inline constexpr std::size_t kTroubles = 6;
std::string_view to_string(Trouble trouble);

struct Problem {
  Trouble trouble = Trouble::kMissing;
  std::string text;  // for an operator: what, which file, what to do. Never text from the log.
};

// Where an earlier reader was, and when it last looked.
struct History {
  TimePoint at{};
  std::vector<Position> positions;
};

struct Lag {
  std::uint64_t bytes = 0;              // written but not read yet
  std::chrono::duration<double> age{};  // of the last entry read, while there is more; else 0
};

class Follower {
 public:
  // `patterns` as glob(7) takes them. Files whose names end in .gz, .zst, .bz2, .xz or .lz4 are
  // ignored. Without a history, files that exist at the first look are followed from their end;
  // later files are read from their beginning. With one, known files are read from their position
  // in it, and others from their beginning if they were written to since.
  Follower(std::vector<std::string> patterns, Prefix prefix, std::optional<History> history);

  // Looks at the directories, and reads at most about `most` bytes, from the files written to
  // longest ago first. An entry at a file's end is given out once a poll finds nothing new after
  // it. Returns whether there is more to read. Never throws because of files; `sink` must not
  // throw, as that would leave the follower in the middle of its work.
  bool poll(TimePoint now, std::size_t most, const Sink& sink);

  // Where a later Follower must go on to give out every entry that this one has not, and no other.
  std::vector<Position> positions() const;

  Lag lag(TimePoint now) const;
  ParseFaults faults() const;

  // What went wrong since the last call, each once.
  std::vector<Problem> take_problems();

 private:
  struct Followed {
    FollowedFile file;
    TimePoint written{};  // last seen to be written to
    TimePoint changed{};  // when this follower last found new bytes
    bool is_listed = true;
    bool is_copy = false;  // of a followed file, until that one is truncated
    std::uint64_t entries = 0;
    std::optional<TimePoint> last_entry;
  };

  Listing look();
  void recall(const Listing& seen);
  void adopt(FileId id, const Listed& seen, TimePoint now);
  std::uint64_t begin_of(FileId id, const Listed& seen, const std::optional<std::string>& head,
                         bool& is_copy);
  void refresh(const Listing& seen, TimePoint now, const Sink& sink);
  void starts_over(const Position& before);
  std::size_t read(Followed& followed, std::size_t most, TimePoint now, const Sink& sink);
  void let_go(TimePoint now, const Sink& sink);
  void judge_formats();
  void tell(Trouble trouble, const std::string& about, const std::string& text);
  void over(Trouble trouble, const std::string& about);

  std::vector<std::string> patterns_;
  Prefix prefix_;
  std::optional<History> history_;
  bool is_first_look_ = true;
  TimePoint last_look_{};
  std::map<FileId, std::unique_ptr<Followed>> files_;
  std::vector<Position> past_;  // of files before they were truncated or replaced
  ParseFaults faults_of_gone_;
  std::set<std::pair<Trouble, std::string>> told_;
  std::vector<Problem> news_;
};

}  // namespace pgconn::server_log
