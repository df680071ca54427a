// One server's log, whole: follows its files, counts what they tell, and keeps both across
// restarts. One thread calls poll() and publish(); batches are values that others may read.
//
// Across restarts: what publish() returns has been written to the state file before, together with
// the place in the log that it was counted up to. So no entry is lost and none counts twice,
// however the program ends: counters go on from where they were last published, and what was read
// since is read again. A counter never falls, unless the state file is lost or cannot be written,
// which is told. The price is one small file flushed for each publish() after something was read.
// Without a state file counters begin at 0, and the log from its end.
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
  // Told of every entry that is an event; the texts are the log's, for evidence only.
  using Listener = std::function<void(const Entry&, const Classified&)>;

  // Reads the state file. Throws std::invalid_argument if line_prefix is none.
  explicit ServerLog(ServerLogOptions options, Listener listener = {});

  // Reads at most about `most` bytes of what is new; true: there is more. Call it every second or
  // so: an entry at the log's end counts at the poll after the one that read it.
  bool poll(TimePoint now, std::size_t most);

  // What was counted so far, safely kept.
  metrics::MetricBatch publish(TimePoint now);

  // What an operator should be told, each once until it is over.
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
