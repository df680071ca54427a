#include "sources/server_log/stdin_input.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pgconn::server_log {

StdinInput::StdinInput(int descriptor, const Layout& layout, const Prefix& prefix)
    : stream_(descriptor), parser_(make_parser(layout, "", prefix)) {}

bool StdinInput::poll(TimePoint, std::size_t most, const Sink& sink) {
  if (has_ended_) return false;
  const Sink noting = [&](const Entry& entry) {
    if (entry.time) last_entry_ = entry.time;
    sink(entry);
  };
  const auto result =
      stream_.read(most, [&](std::string_view bytes) { parser_->feed(bytes, noting); });
  const std::string misfit = parser_->misfit();
  if (!misfit.empty() && !is_misfit_) {
    news_.push_back({Trouble::kFormat, "standard input does not fit: " + misfit});
  }
  is_misfit_ = !misfit.empty();
  if (result == ByteStream::Read::kNothing) parser_->flush(noting);
  has_ended_ = result == ByteStream::Read::kEnd || result == ByteStream::Read::kFailed;
  if (has_ended_) {
    parser_->finish(noting);
    const std::string why = stream_.error() == 0
                                ? "has ended"
                                : std::string("fails: ") + std::strerror(stream_.error());
    news_.push_back(
        {Trouble::kUnreadable,
         "standard input " + why + ", so no more of the server's log comes: see who writes to it"});
  }
  return result == ByteStream::Read::kMore;
}

Lag StdinInput::lag(TimePoint now) const {
  Lag lag;
  lag.bytes = stream_.waiting();
  if (lag.bytes > 0 && last_entry_) {
    lag.age = std::max<std::chrono::duration<double>>(lag.age, now - *last_entry_);
  }
  return lag;
}

std::vector<Problem> StdinInput::take_problems() { return std::exchange(news_, {}); }

}  // namespace pgconn::server_log
