// Helpers for parsers of arbitrary bytes. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "sources/server_log/parser.h"
#include "text/utf8.h"

namespace pgconn::server_log {

// Whether `text` is ASCII without NUL. Eight bytes at a time: every line goes through here.
inline bool is_plain(std::string_view text) {
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  while (text.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    // A byte that is 0 borrows, which sets its high bit in the second term.
    if (((word | (word - kOnes)) & kHigh) != 0) return false;
    text.remove_prefix(8);
  }
  for (const char c : text) {
    if (c == '\0' || static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = text::utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Counts the faults in the bytes of one line or record.
inline void inspect(std::string_view text, ParseFaults& faults) {
  if (is_plain(text)) return;
  if (text.find('\0') != std::string_view::npos) ++faults.nul;
  if (!is_utf8(text)) ++faults.encoding;
}

// Cuts a byte stream into lines. Only the beginning of a line longer than kLongestEntry is kept.
class LineSplitter {
 public:
  // Calls on_line(line, length) for each line that ends in `bytes`: `line` without its newline,
  // `length` of all its bytes with it.
  template <typename OnLine>
  void feed(std::string_view bytes, OnLine on_line) {
    while (!bytes.empty()) {
      const std::size_t newline = bytes.find('\n');
      const std::string_view part = bytes.substr(0, newline);
      if (newline == std::string_view::npos) {
        keep(part);
        return;
      }
      if (unfinished_ == 0) {
        on_line(part.substr(0, kLongestEntry), part.size() + 1);
      } else {
        keep(part);
        const std::uint64_t length = unfinished_ + 1;
        unfinished_ = 0;
        on_line(std::string_view(kept_), length);
        kept_.clear();
      }
      bytes.remove_prefix(newline + 1);
    }
  }

  // Bytes of the line that has not ended yet.
  std::uint64_t unfinished() const { return unfinished_; }
  std::string_view unfinished_text() const { return kept_; }
  void clear() {
    kept_.clear();
    unfinished_ = 0;
  }

 private:
  void keep(std::string_view part) {
    unfinished_ += part.size();
    kept_.append(part.substr(0, kLongestEntry - std::min(kept_.size(), kLongestEntry)));
  }

  std::string kept_;
  std::uint64_t unfinished_ = 0;
};

}  // namespace pgconn::server_log
