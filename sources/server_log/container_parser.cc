#include "sources/server_log/container_parser.h"

#include <algorithm>
#include <utility>

#include "text/ascii.h"

namespace pgconn::server_log {
namespace {

constexpr int kMisfitsToTell = 10;
constexpr std::size_t kShortestTime = std::string_view("2026-01-02T03:04:05Z").size();

// Takes what is before the next space, and the space.
std::string_view next_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

// RFC 3339, as far as it distinguishes such a line from others.
bool is_time(std::string_view word) {
  return word.size() >= kShortestTime && text::is_digit(word[0]) && word[4] == '-' &&
         word[10] == 'T' && word[13] == ':';
}

}  // namespace

std::optional<ContainerLine> parse_container_line(std::string_view line) {
  ContainerLine parts;
  if (!is_time(next_word(line))) return std::nullopt;
  parts.stream = next_word(line);
  if (parts.stream != "stdout" && parts.stream != "stderr") return std::nullopt;
  // More tags may follow the first, after a colon each.
  const std::string_view tags = next_word(line);
  const std::string_view first = tags.substr(0, tags.find(':'));
  if (first != "P" && first != "F") return std::nullopt;
  parts.is_partial = first == "P";
  parts.text = line;
  return parts;
}

void ContainerParser::feed(std::string_view bytes, const Sink& sink) {
  lines_.feed(bytes,
              [&](std::string_view text, std::uint64_t length) { line(text, length, sink); });
  sum_up();
}

void ContainerParser::line(std::string_view text, std::uint64_t length, const Sink& sink) {
  const auto parts = parse_container_line(text);
  if (!parts) {
    ++misfits_in_a_row_;
    ++own_pending_.unparsed;
    if (partial_) {
      partial_->bytes += length;
    } else if (pending_ > 0) {
      pending_ += length;
    } else {
      settle();
    }
    return;
  }
  misfits_in_a_row_ = 0;
  if (!partial_) {
    if (!parts->is_partial) return give(parts->text, length, sink);
    partial_.emplace();
    partial_->stream = parts->stream;
  }
  partial_->bytes += length;
  if (parts->stream == partial_->stream) {
    const std::size_t room = kLongestEntry + 1 - std::min(partial_->text.size(), kLongestEntry + 1);
    partial_->text.append(parts->text.substr(0, room));
    if (!parts->is_partial) end_partial(sink);
    return;
  }
  // Each stream's lines stay whole; a partial one of the second stream, amid one of the first, is
  // too rare to be joined.
  partial_->held.emplace_back(parts->text);
  partial_->held_bytes += parts->text.size();
  if (partial_->held_bytes > kLongestEntry) {
    ++own_pending_.torn;
    end_partial(sink);
  }
}

// Nothing before the line at hand is pending any more.
void ContainerParser::settle() {
  own_ += own_pending_;
  own_pending_ = {};
}

void ContainerParser::end_partial(const Sink& sink) {
  const PartialLine partial = std::move(*partial_);
  partial_.reset();
  give(partial.text, partial.bytes, sink);
  // The held lines' bytes are among the partial line's. A position is one number: nothing of them
  // may stay pending once one of their entries is given, or a restart would count it again.
  for (const std::string& held : partial.held) {
    flush(sink);
    give(held, 0, sink);
  }
  if (!partial.held.empty()) flush(sink);
  if (!partial.held.empty() && inner_->pending() > 0) pending_ = partial.bytes;
}

// One whole line of the container; `bytes` of the file.
void ContainerParser::give(std::string_view text, std::uint64_t bytes, const Sink& sink) {
  const std::uint64_t before = inner_->pending();
  inner_->feed(text, sink);
  inner_->feed("\n", sink);
  const std::uint64_t after = inner_->pending();
  const bool goes_on = after != 0 && after == before + text.size() + 1;
  if (!goes_on || before == 0) settle();
  pending_ = after == 0 ? 0 : bytes + (goes_on ? pending_ : 0);
}

void ContainerParser::flush(const Sink& sink) {
  inner_->flush(sink);
  if (inner_->pending() == 0) {
    pending_ = 0;
    if (!partial_) settle();
  }
  sum_up();
}

void ContainerParser::finish(const Sink& sink) {
  if (lines_.unfinished() != 0 || partial_) ++own_.torn;
  lines_.clear();
  if (partial_) end_partial(sink);
  inner_->finish(sink);
  pending_ = 0;
  settle();
  misfits_in_a_row_ = 0;
  sum_up();
}

std::uint64_t ContainerParser::pending() const {
  return pending_ + (partial_ ? partial_->bytes : 0) + lines_.unfinished();
}

std::string ContainerParser::misfit() const {
  if (misfits_in_a_row_ < kMisfitsToTell) return inner_->misfit();
  return "its lines do not begin with a time, the stream and F or P, as a container's log has "
         "them; leave out `container`";
}

}  // namespace pgconn::server_log
