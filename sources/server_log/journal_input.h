// A server's log in systemd's journal, read through `journalctl --follow`, a child process. The
// journal's cursor is the place: after a restart the child goes on behind the last record of which
// everything was given out. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/server_log/byte_stream.h"
#include "sources/server_log/child.h"
#include "sources/server_log/input.h"
#include "sources/server_log/text.h"

namespace pgconn::server_log {

struct JournalOptions {
  std::vector<std::string> units;      // as journalctl --unit takes them; empty: of all
  std::string directory;               // of the journal's files; empty: this machine's own
  std::string program = "journalctl";  // as Child takes it
};

// The command. `cursor`: of the last record that is known; empty: only what comes from now on.
// Pure.
std::vector<std::string> journal_command(const JournalOptions& options, const std::string& cursor);

// What one line of journalctl's JSON says.
struct JournalRecord {
  std::string cursor;
  std::string identifier;  // of whom it is
  // The server's line, or empty. Newlines in it are followed by a tab, as in the server's own
  // files.
  std::string message;
};
// Nothing if it is no record.
std::optional<JournalRecord> parse_journal_line(std::string_view line);

// Through syslog, PostgreSQL numbers its messages and their lines: "[5-2] ". Takes the number off.
// Returns whether the line is a further one of its message.
bool take_off_sequence(std::string& message);

class JournalInput final : public Input {
 public:
  // The child is started with the first poll().
  JournalInput(JournalOptions options, const Prefix& prefix, const std::optional<History>& history);

  bool poll(TimePoint now, std::size_t most, const Sink& sink) override;
  std::vector<Position> positions() const override;
  Lag lag(TimePoint now) const override;
  ParseFaults faults() const override;
  std::vector<Problem> take_problems() override;
  void set_prefix(const Prefix& prefix) override;

  // To wait for: readable when a poll() would find something. -1 while no child runs.
  int descriptor() const { return stream_ ? stream_->descriptor() : -1; }

 private:
  bool start(TimePoint now);
  void ended(TimePoint now);
  void line(std::string_view text, std::uint64_t length, const Sink& sink);
  std::uint64_t feed(std::string message, const Sink& sink);
  void tell(Trouble trouble, const std::string& text);

  JournalOptions options_;
  Prefix prefix_;
  std::unique_ptr<Parser> parser_;
  std::unique_ptr<Child> child_;
  std::optional<ByteStream> stream_;  // of the child
  LineSplitter lines_;
  std::string last_;  // cursor of the last record read
  std::string done_;  // the same, of which everything was given out
  ParseFaults own_;
  std::optional<TimePoint> last_entry_;
  TimePoint not_before_{};  // when a child may be started again
  std::chrono::seconds wait_{0};
  bool is_failing_ = false;  // and that was told
  bool is_misfit_ = false;
  std::vector<Problem> news_;
};

}  // namespace pgconn::server_log
