// The log of a CloudNativePG instance: objects of the instance manager, one per line, of which
// those with the logger `postgres` hold an entry of the server in `record`, its keys named like
// csvlog's columns. Other loggers' lines are passed over. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sources/server_log/json_parser.h"
#include "sources/server_log/parser.h"
#include "sources/server_log/text.h"

namespace pgconn::server_log {

enum class InstanceLine { kEntry, kOther, kTorn };

// Reads the entry from one line, or from the beginning of one that is too long (`is_cut`).
// `scratch` as for parse_json_line().
InstanceLine parse_cloudnativepg_line(std::string_view line, bool is_cut, JsonScratch& scratch,
                                      Entry& entry);

class CloudNativePgParser final : public Parser {
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
