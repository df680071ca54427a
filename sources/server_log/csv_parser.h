// The `csvlog` format: records whose quoted fields may contain newlines. The grammar is strict, so
// that a torn record is noticed before it swallows those after it. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sources/server_log/parser.h"

namespace pgconn::server_log {

// Reads the entry from one whole record, without its newline, or from the beginning of one that is
// too long (`is_cut`). False if it is not a record. `scratch` stores texts that had doubled quotes;
// it must live as long as the entry.
struct CsvScratch {
  std::string user, database, message, detail;
};
bool parse_csv_record(std::string_view record, bool is_cut, CsvScratch& scratch, Entry& entry);

class CsvParser : public Parser {
 public:
  void feed(std::string_view bytes, const Sink& sink) override;
  void flush(const Sink&) override {}
  void finish(const Sink& sink) override;
  std::uint64_t pending() const override { return buffer_.size() - begin_ + skipped_; }
  std::string misfit() const override;

 private:
  enum class State { kFieldStart, kUnquoted, kQuoted, kQuoteInQuoted, kRestOfLine };

  bool step();  // one byte, or a run of them; false: the record is torn at scan_
  void end_record(const Sink& sink);
  void drop_torn_line();
  void begin_after_torn();
  void bound();

  std::string buffer_;
  std::size_t begin_ = 0;      // of the current record
  std::size_t scan_ = 0;       // end of the scanned part
  std::uint64_t skipped_ = 0;  // bytes of it that were not kept
  State state_ = State::kFieldStart;
  bool is_whole_ = false;  // its newline was found, right before scan_
  int torn_in_a_row_ = 0;
  CsvScratch scratch_;
};

}  // namespace pgconn::server_log
