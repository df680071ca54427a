// The `stderr` format: lines that each begin with log_line_prefix, and continuation lines that
// begin with a tab. DETAIL, CONTEXT, STATEMENT and the like are separate lines after the message.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "sources/server_log/parser.h"
#include "sources/server_log/prefix.h"
#include "sources/server_log/text.h"

namespace pgconn::server_log {

class StderrParser : public Parser {
 public:
  explicit StderrParser(const Prefix& prefix) : prefix_(prefix) {}

  void feed(std::string_view bytes, const Sink& sink) override;
  void flush(const Sink& sink) override;
  void finish(const Sink& sink) override;
  std::uint64_t pending() const override { return open_bytes_ + lines_.unfinished(); }
  std::string misfit() const override;
  void set_prefix(const Prefix& prefix) override;

 private:
  // The entry that continues until a line begins the next one.
  struct Open {
    Entry entry;  // its views refer to the strings below once it is given out
    bool has_user = false;
    bool has_database = false;
    std::string user, database, sqlstate, backend_type, message, detail;
  };

  void line(std::string_view text, std::uint64_t length, const Sink& sink);
  void goes_on(std::uint64_t length, const ParseFaults& faults);
  void begin(const Head& head);
  void add_detail(const Head& head);
  bool belongs_to_open(const Head& head) const;
  void misfit_line(std::string_view text);

  Prefix prefix_;
  LineSplitter lines_;
  bool is_open_ = false;
  Open open_;
  std::uint64_t open_bytes_ = 0;  // of the open entry and everything after it
  ParseFaults open_faults_;
  std::deque<std::string> misfits_;  // the latest lines, while none of them fits
};

}  // namespace pgconn::server_log
