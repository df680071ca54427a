// The log that a Kubernetes node keeps of a container (CRI): each line has a time, the stream's
// name and `F`, or `P` if the container's line goes on in the next line of its stream. The
// container's own lines are for another parser. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/server_log/parser.h"
#include "sources/server_log/text.h"

namespace pgconn::server_log {

// One line of such a file, taken apart.
struct ContainerLine {
  std::string_view stream;  // stdout or stderr
  bool is_partial = false;
  std::string_view text;
};
std::optional<ContainerLine> parse_container_line(std::string_view line);

// A line of the container of which the end has not come yet.
struct PartialLine {
  std::string stream;
  std::string text;               // at most kLongestEntry
  std::uint64_t bytes = 0;        // of the file, and those of the lines held back
  std::vector<std::string> held;  // whole lines of the other stream
  std::size_t held_bytes = 0;
};

class ContainerParser final : public Parser {
 public:
  // `inner` must work line by line, and finish an entry only at a line's end.
  explicit ContainerParser(std::unique_ptr<Parser> inner) : inner_(std::move(inner)) {}

  void feed(std::string_view bytes, const Sink& sink) override;
  void flush(const Sink& sink) override;
  void finish(const Sink& sink) override;
  std::uint64_t pending() const override;
  std::string misfit() const override;
  void set_prefix(const Prefix& prefix) override { inner_->set_prefix(prefix); }

 private:
  void line(std::string_view text, std::uint64_t length, const Sink& sink);
  void end_partial(const Sink& sink);
  void give(std::string_view text, std::uint64_t bytes, const Sink& sink);
  void settle();
  void sum_up() { (faults_ = own_) += inner_->faults(); }

  std::unique_ptr<Parser> inner_;
  LineSplitter lines_;
  std::optional<PartialLine> partial_;
  std::uint64_t pending_ = 0;  // bytes of the file that the inner parser's pending ones are in
  ParseFaults own_;
  ParseFaults own_pending_;  // those in pending bytes
  int misfits_in_a_row_ = 0;
};

}  // namespace pgconn::server_log
