#include "sources/server_log/stderr_parser.h"

#include <vector>

#include "sources/server_log/prefix_guess.h"

namespace pgconn::server_log {
namespace {

constexpr std::size_t kMisfitsToTell = 10;  // lines in a row
constexpr std::size_t kLongestMisfit = 1024;

void assign(std::string& to, std::string_view text) { to.assign(text.substr(0, kLongestText)); }

}  // namespace

void StderrParser::feed(std::string_view bytes, const Sink& sink) {
  lines_.feed(bytes,
              [&](std::string_view text, std::uint64_t length) { line(text, length, sink); });
}

void StderrParser::line(std::string_view text, std::uint64_t length, const Sink& sink) {
  ParseFaults faults;
  inspect(text, faults);
  if (length > kLongestEntry) ++faults.oversize;
  if (text.starts_with('\t')) {
    const bool was_long = open_bytes_ > kLongestEntry;
    goes_on(length, faults);
    if (!was_long && open_bytes_ > kLongestEntry) ++open_faults_.oversize;
    return;
  }
  const auto head = prefix_.match(text);
  if (!head) {
    ++faults.unparsed;
    misfit_line(text);
    goes_on(length, faults);
    return;
  }
  misfits_.clear();
  const Heading& heading = head->heading;
  const bool is_message = heading.part == Heading::Part::kMessage &&
                          (heading.severity != Severity::kUnknown || !belongs_to_open(*head));
  if (is_message) {
    flush(sink);
    begin(*head);
    open_bytes_ = length;
    open_faults_ = faults;
  } else {
    if (is_open_ && heading.part == Heading::Part::kDetail) add_detail(*head);
    goes_on(length, faults);
  }
}

// A line that does not begin an entry: pending with the open one, or done.
void StderrParser::goes_on(std::uint64_t length, const ParseFaults& faults) {
  if (is_open_) {
    open_bytes_ += length;
    open_faults_ += faults;
  } else {
    faults_ += faults;
  }
}

// A part in an unknown language looks like a message, except that it comes right after one with the
// same process and SQLSTATE.
bool StderrParser::belongs_to_open(const Head& head) const {
  return is_open_ && head.pid == open_.entry.pid && head.sqlstate == open_.sqlstate;
}

void StderrParser::begin(const Head& head) {
  is_open_ = true;
  open_.entry.severity = head.heading.severity;
  open_.entry.time = head.time;
  open_.entry.pid = head.pid;
  open_.has_user = head.user.has_value();
  open_.has_database = head.database.has_value();
  assign(open_.user, head.user.value_or(""));
  assign(open_.database, head.database.value_or(""));
  assign(open_.sqlstate, head.sqlstate);
  assign(open_.backend_type, head.backend_type);
  assign(open_.message, head.rest);
  open_.detail.clear();
}

// Without the logging collector, lines of several processes may be mixed.
void StderrParser::add_detail(const Head& head) {
  if (head.pid == open_.entry.pid && open_.detail.empty()) assign(open_.detail, head.rest);
}

void StderrParser::misfit_line(std::string_view text) {
  if (misfits_.size() == kMisfitsToTell) misfits_.pop_front();
  misfits_.emplace_back(text.substr(0, kLongestMisfit));
}

void StderrParser::flush(const Sink& sink) {
  if (is_open_) {
    Entry& entry = open_.entry;
    if (open_.has_user)
      entry.user = open_.user;
    else
      entry.user.reset();
    if (open_.has_database)
      entry.database = open_.database;
    else
      entry.database.reset();
    entry.sqlstate = open_.sqlstate;
    entry.backend_type = open_.backend_type;
    entry.message = open_.message;
    entry.detail = open_.detail;
    sink(entry);
  }
  is_open_ = false;
  open_bytes_ = 0;
  faults_ += open_faults_;
  open_faults_ = {};
}

void StderrParser::finish(const Sink& sink) {
  if (lines_.unfinished() != 0) {
    ++faults_.torn;
    const std::string last(lines_.unfinished_text());
    lines_.clear();
    // An unfinished line may still have a complete head, unless it ends within the heading.
    if (prefix_.match(last)) line(last, last.size(), sink);
  }
  flush(sink);
  misfits_.clear();
}

void StderrParser::set_prefix(const Prefix& prefix) {
  prefix_ = prefix;
  misfits_.clear();
}

std::string StderrParser::misfit() const {
  if (misfits_.size() < kMisfitsToTell) return {};
  const std::vector<std::string> lines(misfits_.begin(), misfits_.end());
  return "its lines do not begin with the log_line_prefix '" + prefix_.pattern() + "'; " +
         describe_guess(lines);
}

}  // namespace pgconn::server_log
