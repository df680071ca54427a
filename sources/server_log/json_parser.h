// The `jsonlog` format (PostgreSQL 15 and later): one object of strings and numbers per line.
// Parsed by hand: nlohmann's parser takes five times as long as everything else together. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sources/server_log/parser.h"
#include "sources/server_log/text.h"

namespace pgconn::server_log {

// Reads the entry from one line, or from the beginning of one that is too long (`is_cut`). False if
// it is not an entry. `scratch` stores texts that had escapes; it must live as long as the entry.
struct JsonScratch {
  std::string user, database, message, detail;
};
bool parse_json_line(std::string_view line, bool is_cut, JsonScratch& scratch, Entry& entry);

class JsonParser : public Parser {
 public:
  void feed(std::string_view bytes, const Sink& sink) override;
  void flush(const Sink&) override {}
  void finish(const Sink& sink) override;
  std::uint64_t pending() const override { return lines_.unfinished(); }
  std::string misfit() const override;

 private:
  void line(std::string_view text, std::uint64_t length, const Sink& sink);

  LineSplitter lines_;
  int torn_in_a_row_ = 0;
  JsonScratch scratch_;
};

}  // namespace pgconn::server_log
