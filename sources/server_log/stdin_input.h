// A server's log that comes through standard input: `postgres 2>&1 | pgconn_exporter`, or from any
// program that hands it on. It cannot be read again: what was read and not yet saved when the
// program is killed is lost; counters go on. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sources/server_log/byte_stream.h"
#include "sources/server_log/input.h"

namespace pgconn::server_log {

class StdinInput final : public Input {
 public:
  // `descriptor` as ByteStream takes it. Names of files play no part in `layout`.
  StdinInput(int descriptor, const Layout& layout, const Prefix& prefix);

  bool poll(TimePoint now, std::size_t most, const Sink& sink) override;
  std::vector<Position> positions() const override { return {}; }
  Lag lag(TimePoint now) const override;
  ParseFaults faults() const override { return parser_->faults(); }
  std::vector<Problem> take_problems() override;
  void set_prefix(const Prefix& prefix) override { parser_->set_prefix(prefix); }

  // To wait for: readable when a poll() would find something. -1 after the end.
  int descriptor() const { return stream_.descriptor(); }

 private:
  ByteStream stream_;
  std::unique_ptr<Parser> parser_;
  std::optional<TimePoint> last_entry_;
  bool has_ended_ = false;
  bool is_misfit_ = false;
  std::vector<Problem> news_;
};

}  // namespace pgconn::server_log
