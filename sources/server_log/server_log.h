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
#include <optional>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "sources/server_log/classify.h"
#include "sources/server_log/follower.h"
#include "sources/server_log/log_metrics.h"
#include "sources/server_log/prefix.h"
#include "sources/server_log/repeated_losses.h"

namespace pgconn::server_log {

struct ServerLogOptions {
  std::vector<std::string> patterns;     // as glob(7)
  std::string line_prefix = "%m [%p] ";  // log_line_prefix, for files that are not csv or json
  std::string state_path;                // empty: none
  std::string server;                    // whose log: a state file of another is not used
};

class ServerLog {
 public:
  // Called for every entry that is an event; the texts are from the log, for evidence only.
  using Listener = std::function<void(const Entry&, const Classified&)>;

  // Reads the state file. Throws std::invalid_argument if line_prefix is invalid.
  explicit ServerLog(ServerLogOptions options, Listener listener = {});

  // Reads at most about `most` bytes of what is new; true: there is more. Call it every second or
  // so: an entry at the log's end counts at the poll after the one that read it.
  bool poll(TimePoint now, std::size_t most);

  // What was counted so far, saved first.
  metrics::MetricBatch publish(TimePoint now);

  // Problems for an operator, each reported once until it is over.
  std::vector<Problem> take_problems();

 private:
  ServerLog(ServerLogOptions options, Listener listener, Prefix prefix, StateRead loaded);
  void save(TimePoint now);

  ServerLogOptions options_;
  Listener listener_;
  LogMetrics metrics_;
  Follower follower_;
  RepeatedLosses losses_;
  std::vector<Problem> problems_;
  bool has_looked_ = false;
  bool is_changed_ = false;  // since it was saved
  ParseFaults saved_faults_;
  bool cannot_save_ = false;
};

}  // namespace pgconn::server_log
