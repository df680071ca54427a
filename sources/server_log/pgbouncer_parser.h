// The log of a PgBouncer: one line per message, with a time, the process and a level; what concerns
// a connection names its side (C or S) and its peer. An entry's backend_type is `client` or
// `server` for those, and its message begins behind the peer. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sources/server_log/parser.h"
#include "sources/server_log/text.h"

namespace pgconn::server_log {

// Reads the entry from one line, also one without time and process, as its syslog has it. False if
// it is not a line of PgBouncer's.
bool parse_pgbouncer_line(std::string_view line, Entry& entry);

class PgbouncerParser final : public Parser {
 public:
  void feed(std::string_view bytes, const Sink& sink) override;
  void flush(const Sink&) override {}
  void finish(const Sink& sink) override;
  std::uint64_t pending() const override { return lines_.unfinished(); }
  std::string misfit() const override;

 private:
  void line(std::string_view text, std::uint64_t length, const Sink& sink);

  LineSplitter lines_;
  int misfits_in_a_row_ = 0;
};

}  // namespace pgconn::server_log
