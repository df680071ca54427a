// Where entries come from: followed files, or a stream. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

class Input {
 public:
  Input() = default;
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  virtual ~Input() = default;

  // Reads at most about `most` bytes of what is new. An entry at the end is given out once a poll
  // finds nothing new after it. Returns whether there is more to read. `sink` must not throw, as
  // that would leave the input in the middle of its work.
  virtual bool poll(TimePoint now, std::size_t most, const Sink& sink) = 0;

  // Where a later one must go on to give out every entry that this one has not, and no other.
  virtual std::vector<Position> positions() const = 0;

  virtual Lag lag(TimePoint now) const = 0;
  virtual ParseFaults faults() const = 0;

  // What went wrong since the last call, each once.
  virtual std::vector<Problem> take_problems() = 0;

  // Lines read from now on have this prefix.
  virtual void set_prefix(const Prefix& prefix) = 0;
};

}  // namespace pgconn::server_log
