// One server's whole log: follows its files, counts their events, and keeps both across restarts.
// One thread calls poll() and publish(); batches are values that others may read.
//
// Across restarts: publish() first writes what it returns to the state file, together with the
// place in the log up to which it was counted. So no entry is lost and none counts twice, however
// the program ends: counters continue from where they were last published, and what was read since
// is read again. A counter never falls, unless the state file is lost or cannot be written, which
// is reported. The price is one small file flushed for each publish() after something was read.
// Without a state file, counters begin at 0 and the log is followed from its end.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "sources/server_log/input.h"
#include "sources/server_log/log_metrics.h"
#include "sources/server_log/parser.h"
#include "sources/server_log/prefix.h"
#include "sources/server_log/tally.h"

namespace pgconn::server_log {

struct ServerLogOptions {
  std::vector<std::string> patterns;     // as glob(7)
  std::string line_prefix = "%m [%p] ";  // log_line_prefix, for files that are not csv or json
  std::string state_path;                // empty: none
  std::string server;                    // whose log: a state file of another is not used
  Layout layout = {};                    // of the files
};

class ServerLog {
 public:
  // Of a PostgreSQL server's events.
  using Listener = LogMetrics::Listener;

  // Makes what is read; gets where an earlier one was.
  using InputMaker = std::function<std::unique_ptr<Input>(const Prefix&, std::optional<History>)>;

  // Follows the files that `options.patterns` find. Reads the state file. Throws
  // std::invalid_argument if line_prefix is invalid.
  explicit ServerLog(ServerLogOptions options, Listener listener = {});
  // Reads what `make` returns. Call learn_prefix() before the first poll.
  ServerLog(ServerLogOptions options, Listener listener, const InputMaker& make);

  // Reads at most about `most` bytes of what is new; true: there is more. Call it every second or
  // so: an entry at the log's end counts at the poll after the one that read it.
  bool poll(TimePoint now, std::size_t most);

  // What was counted so far, saved first.
  metrics::MetricBatch publish(TimePoint now);

  // What whoever feeds the input found out: reported once until it is over.
  void tell(Trouble trouble, const std::string& text);
  void over(Trouble trouble);

  // What the lines look like. Without patterns the counters of what is foreseen exist from then on.
  void learn_prefix(const std::string& line_prefix, bool has_sqlstate);

  // Problems for an operator, each reported once until it is over.
  std::vector<Problem> take_problems();

 private:
  void save(TimePoint now);

  ServerLogOptions options_;
  std::unique_ptr<Tally> tally_;
  std::unique_ptr<Input> input_;
  std::vector<Problem> problems_;
  std::set<Trouble> told_;  // by tell()
  bool has_learned_ = false;
  bool has_looked_ = false;
  bool is_changed_ = false;  // since it was saved
  ParseFaults saved_faults_;
  bool cannot_save_ = false;
};

}  // namespace pgconn::server_log
