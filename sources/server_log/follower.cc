#include "sources/server_log/follower.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "sources/server_log/local_store.h"

namespace pgconn::server_log {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Files that were not written to for this long are closed, and opened again when they are. Not the
// newest: if renamed to a name that no pattern finds, they could not be opened again.
constexpr seconds kQuiet{60};
constexpr std::size_t kAlwaysOpen = 16;
// Files that no pattern finds any more may still be written to: PostgreSQL keeps its descriptor.
constexpr minutes kGone{5};
// How far a file's write time may be behind our clock: the kernel's tick, a file server's clock.
constexpr seconds kSlack{60};
constexpr std::size_t kMostPast = 64;
// Old files do not grow, and are recognised by their age: the state file need not list hundreds.
constexpr std::size_t kMostResting = 64;
constexpr std::uint64_t kEntriesOfAFormat = 100;

// Whether a file with the inode of a known one is that file. If it cannot be read now, the inode
// alone decides.
bool may_be(const Position& known, const Listed& seen, const std::optional<std::string>& head) {
  return known.offset <= seen.size && (!head || is_same_beginning(known.print, *head));
}

}  // namespace

std::string_view to_string(Trouble trouble) {
  constexpr std::array<std::string_view, kTroubles> kNames = {
      "missing", "denied", "unreadable", "format", "several_formats", "state"};
  return kNames.at(static_cast<std::size_t>(trouble));
}

Follower::Follower(std::vector<std::string> patterns, Prefix prefix, std::optional<History> history,
                   Layout layout)
    : Follower(std::make_unique<LocalStore>(std::move(patterns)), std::move(prefix),
               std::move(history), layout) {}

Follower::Follower(std::unique_ptr<LogStore> store, Prefix prefix, std::optional<History> history,
                   Layout layout)
    : store_(std::move(store)),
      layout_(layout),
      prefix_(std::move(prefix)),
      history_(std::move(history)) {
  if (history_) last_look_ = history_->at;
}

Listing Follower::look() {
  Listing listing;
  for (const Search& search : store_->list(listing)) {
    if (search.found) {
      over(Trouble::kMissing, search.where);
    } else {
      tell(Trouble::kMissing, search.where, search.advice);
    }
  }
  return listing;
}

// Where to begin reading a file that was not followed so far.
std::uint64_t Follower::begin_of(FileId id, const Listed& seen,
                                 const std::optional<std::string>& head, bool& is_copy) {
  if (history_) {
    const auto known = std::ranges::find(history_->positions, id, &Position::id);
    if (known != history_->positions.end() && may_be(*known, seen, head)) return known->offset;
  }
  // `copytruncate`: the rest that was not read from the original before it was truncated.
  const auto same = [&head](const Fingerprint& print) {
    return print.length >= kShortestFingerprint && head && is_same_beginning(print, *head);
  };
  const auto past =
      std::ranges::find_if(past_, [&](const Position& position) { return same(position.print); });
  if (past != past_.end()) {
    const std::uint64_t offset = std::min(past->offset, seen.size);
    past_.erase(past);
    return offset;
  }
  is_copy = std::ranges::any_of(files_, [&](const auto& item) {
    return !item.second->is_copy && same(item.second->file.position().print);
  });
  if (is_first_look_ && !history_) return seen.size;
  // A file last written to before the last look has nothing new.
  if (seen.written + kSlack < last_look_) return seen.size;
  return 0;
}

// Keeps an earlier reader's positions in files that have since been replaced.
void Follower::recall(const Listing& seen) {
  for (const Position& known : history_->positions) {
    const auto found = seen.find(known.id);
    if (found != seen.end() && may_be(known, found->second, store_->head_at(found->second.path)))
      continue;
    if (past_.size() < kMostPast) past_.push_back(known);
  }
}

void Follower::adopt(FileId id, const Listed& seen, TimePoint now) {
  const std::optional<std::string> head = store_->head_at(seen.path);
  bool is_copy = false;
  const std::uint64_t offset = begin_of(id, seen, head, is_copy);
  files_[id] = std::make_unique<Followed>(
      Followed{FollowedFile(*store_, id, seen.path, offset, fingerprint_of(head.value_or("")),
                            make_parser(layout_, seen.path, prefix_)),
               seen.written, now, true, is_copy, 0, std::nullopt});
}

void Follower::starts_over(const Position& before) {
  // A copy of the old content is waiting to be read from there on.
  for (auto& [id, followed] : files_) {
    if (!followed->is_copy) continue;
    const auto head = store_->head_at(followed->file.path());
    if (!head || !is_same_beginning(before.print, *head)) continue;
    followed->is_copy = false;
    followed->file.start_at(before.offset);
    return;
  }
  if (past_.size() >= kMostPast) past_.erase(past_.begin());
  past_.push_back(before);
}

void Follower::refresh(const Listing& seen, TimePoint now, const Sink& sink) {
  // Known files first: a new one may be the copy of what one of them was.
  for (auto& [id, followed] : files_) {
    const auto found = seen.find(id);
    followed->is_listed = found != seen.end();
    std::optional<Position> before;
    if (followed->is_listed) {
      const Listed& now_seen = found->second;
      const bool is_touched = followed->written != now_seen.written;
      followed->written = now_seen.written;
      before = followed->file.refresh(now_seen.path, now_seen.size, is_touched, sink);
    } else {
      before = followed->file.refresh_gone(sink);
    }
    if (before) starts_over(*before);
    if (followed->file.unread() > 0) followed->changed = now;
  }
  // Oldest first, so that an original is known before its copy.
  std::vector<std::pair<FileId, const Listed*>> fresh;
  for (const auto& [id, facts] : seen) {
    if (!files_.contains(id)) fresh.emplace_back(id, &facts);
  }
  const auto is_known = [this](FileId id) {
    return history_ &&
           std::ranges::find(history_->positions, id, &Position::id) != history_->positions.end();
  };
  std::ranges::stable_sort(fresh, [&](const auto& a, const auto& b) {
    return std::pair(!is_known(a.first), a.second->written) <
           std::pair(!is_known(b.first), b.second->written);
  });
  for (const auto& [id, facts] : fresh) {
    adopt(id, *facts, now);
    if (files_.at(id)->is_copy) continue;
    files_.at(id)->file.refresh(facts->path, facts->size, true, sink);
  }
}

std::size_t Follower::read(Followed& followed, std::size_t most, TimePoint now, const Sink& sink) {
  FollowedFile& file = followed.file;
  const std::uint64_t before = file.unread();
  if (before == 0 && !file.is_open()) {
    file.parser().flush(sink);
    return 0;
  }
  const std::uint64_t from = file.taken();
  const auto result = file.read(most, sink);
  const std::uint64_t got = file.taken() - from;
  if (got > 0) followed.changed = now;
  if (result == FollowedFile::Read::kDenied) {
    tell(Trouble::kDenied, file.path(),
         "may not read " + file.path() +
             ": let this program's user into the server's group, with log_file_mode = 0640");
  } else if (result == FollowedFile::Read::kFailed) {
    if (file.error() != ENOENT) {
      tell(Trouble::kUnreadable, file.path(),
           "cannot read " + file.path() + ": " + std::strerror(file.error()));
    }
  } else {
    over(Trouble::kDenied, file.path());
    over(Trouble::kUnreadable, file.path());
    if (got == 0 && result == FollowedFile::Read::kEnd) file.parser().flush(sink);
  }
  const std::string misfit = file.parser().misfit();
  if (misfit.empty()) {
    over(Trouble::kFormat, file.path());
  } else {
    tell(Trouble::kFormat, file.path(), file.path() + " does not fit: " + misfit);
  }
  return static_cast<std::size_t>(got);
}

bool Follower::poll(TimePoint now, std::size_t most, const Sink& sink) {
  const Listing seen = look();
  if (is_first_look_ && history_) recall(seen);
  refresh(seen, now, sink);
  is_first_look_ = false;
  last_look_ = now;

  std::vector<Followed*> order;
  for (auto& [id, followed] : files_) {
    if (!followed->is_copy) order.push_back(followed.get());
  }
  std::ranges::stable_sort(order, {}, &Followed::written);
  for (Followed* followed : order) {
    if (most == 0) break;
    const Sink noting = [&](const Entry& entry) {
      ++followed->entries;
      if (entry.time) followed->last_entry = entry.time;
      sink(entry);
    };
    most -= std::min(most, read(*followed, most, now, noting));
  }
  let_go(now, sink);
  judge_formats();
  return most == 0;
}

void Follower::let_go(TimePoint now, const Sink& sink) {
  std::vector<TimePoint> times;
  for (const auto& [id, followed] : files_) times.push_back(followed->written);
  std::ranges::sort(times, std::ranges::greater{});
  const TimePoint newest = times.size() > kAlwaysOpen ? times[kAlwaysOpen - 1] : TimePoint::min();
  std::erase_if(files_, [&](auto& item) {
    Followed& followed = *item.second;
    if (followed.file.unread() > 0 && !followed.is_copy) return false;
    const auto quiet = now - followed.changed;
    if (followed.is_listed) {
      if (quiet > kQuiet && followed.written < newest) followed.file.close();
      return false;
    }
    if (quiet <= kGone && !followed.is_copy) return false;
    followed.file.parser().finish(sink);
    faults_of_gone_ += followed.file.parser().faults();
    for (const Trouble trouble : {Trouble::kDenied, Trouble::kUnreadable, Trouble::kFormat}) {
      over(trouble, followed.file.path());
    }
    return true;
  });
}

// The log has each entry once for each format in log_destination.
void Follower::judge_formats() {
  if (layout_.format) return;
  std::array<std::uint64_t, kFormats> entries{};
  for (const auto& [id, followed] : files_) {
    entries.at(static_cast<std::size_t>(format_of(followed->file.path()))) += followed->entries;
  }
  const auto in_use = std::ranges::count_if(
      entries, [](std::uint64_t count) { return count >= kEntriesOfAFormat; });
  if (in_use > 1) {
    tell(Trouble::kSeveralFormats, "",
         "files of several formats are followed, so that each entry counts more than once: let the "
         "patterns find those of one only, best *.json or *.csv");
  }
}

std::vector<Position> Follower::positions() const {
  if (is_first_look_) return history_ ? history_->positions : std::vector<Position>();
  std::vector<const Followed*> order;
  for (const auto& [id, followed] : files_) {
    if (!followed->is_copy) order.push_back(followed.get());
  }
  std::ranges::stable_sort(order, std::ranges::greater{}, &Followed::written);
  std::vector<Position> result;
  std::size_t resting = 0;
  for (const Followed* followed : order) {
    const bool is_resting = followed->file.unread() == 0 && followed->file.parser().pending() == 0;
    if (is_resting && ++resting > kMostResting) continue;
    result.push_back(followed->file.position());
  }
  for (const Position& before : past_) {
    // The unread rest may still appear in a copy.
    const bool is_followed = std::ranges::any_of(result, [&](const Position& position) {
      return position.id == before.id && position.print == before.print;
    });
    if (!is_followed) result.push_back(before);
  }
  return result;
}

Lag Follower::lag(TimePoint now) const {
  Lag lag;
  for (const auto& [id, followed] : files_) {
    if (followed->is_copy || followed->file.unread() == 0) continue;
    lag.bytes += followed->file.unread();
    const TimePoint since = followed->last_entry.value_or(followed->written);
    lag.age = std::max<std::chrono::duration<double>>(lag.age, now - since);
  }
  return lag;
}

ParseFaults Follower::faults() const {
  ParseFaults sum = faults_of_gone_;
  for (const auto& [id, followed] : files_) sum += followed->file.parser().faults();
  return sum;
}

void Follower::set_prefix(const Prefix& prefix) {
  prefix_ = prefix;
  for (const auto& [id, followed] : files_) followed->file.parser().set_prefix(prefix);
}

std::vector<Follower::Wanted> Follower::wanted() const {
  std::vector<Wanted> wanted;
  for (const auto& [id, followed] : files_) {
    if (followed->is_copy || !followed->is_listed) continue;
    wanted.push_back({followed->file.path(), followed->file.taken()});
  }
  return wanted;
}

void Follower::tell(Trouble trouble, const std::string& about, const std::string& text) {
  if (told_.emplace(trouble, about).second) news_.push_back({trouble, text});
}

void Follower::over(Trouble trouble, const std::string& about) { told_.erase({trouble, about}); }

std::vector<Problem> Follower::take_problems() { return std::exchange(news_, {}); }

}  // namespace pgconn::server_log
