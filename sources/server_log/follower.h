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
#include "sources/server_log/input.h"
#include "sources/server_log/log_store.h"
#include "sources/server_log/parser.h"
#include "sources/server_log/position.h"
#include "sources/server_log/prefix.h"

namespace pgconn::server_log {

class Follower final : public Input {
 public:
  // Without a history, files that exist at the first look are followed from their end; later files
  // are read from their beginning. With one, known files are read from their position in it, and
  // others from their beginning if they were written to since.
  Follower(std::unique_ptr<LogStore> store, Prefix prefix, std::optional<History> history,
           Layout layout = {});
  // Of this machine's files: `patterns` as LocalStore takes them.
  Follower(std::vector<std::string> patterns, Prefix prefix, std::optional<History> history,
           Layout layout = {});

  // Lists the files, and reads from those written to longest ago first. Never throws because of
  // files.
  bool poll(TimePoint now, std::size_t most, const Sink& sink) override;

  std::vector<Position> positions() const override;
  Lag lag(TimePoint now) const override;
  ParseFaults faults() const override;
  std::vector<Problem> take_problems() override;
  void set_prefix(const Prefix& prefix) override;

  // Where reading goes on in each file: what a store must have for the next poll.
  struct Wanted {
    std::string path;
    std::uint64_t offset = 0;
    bool operator==(const Wanted&) const = default;
  };
  std::vector<Wanted> wanted() const;

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

  std::unique_ptr<LogStore> store_;
  Layout layout_;
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
