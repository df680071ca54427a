// Which process of a pooler answers, and its counters continued: with so_reuseport several
// processes share a port, each with counters of its own, and a new session may reach another one.
// Without I/O; I/O thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collectors/server_facts.h"
#include "metrics/batch.h"

namespace pgconn::exporter {

std::span<const metrics::Descriptor* const> pooler_process_families();

namespace families {

inline constexpr auto kPoolerProcess =
    metrics::info("pgconn_pgbouncer_process_info",
                  "Which process of PgBouncer answers: its peer_id (0: it has none), and whether "
                  "others may share "
                  "its port (so_reuseport): the gauges are then of this one alone.",
                  {"peer_id", "so_reuseport"});
inline constexpr auto kPoolerRestarts = metrics::counter(
    "pgconn_pgbouncer_restarts_total",
    "Restarts of PgBouncer seen by this exporter: its own counts had begun again at 0.");
inline constexpr auto kPoolerChanges =
    metrics::counter("pgconn_pgbouncer_process_changes_total",
                     "Times that a new session reached another one of the processes that share the "
                     "port, or one that "
                     "has no peer_id, so that it is not known which.");

}  // namespace families

class PoolerProcesses {
 public:
  enum class News {
    kNone,
    kRestart,  // the process was started again
    kAnother,  // another one, or one of which that is not known
  };

  // The facts of a scrape; before carry_on(). `session`: which of our sessions it was asked on,
  // each of which has one process at its end.
  News note(const collectors::ServerFacts& facts, std::uint64_t session);

  // Makes the counters of the batch continue: each adds what was counted by the processes while
  // they were watched, all that the first one has counted included. So none falls, and none jumps
  // to another process's count. The same batch again adds nothing.
  void carry_on(metrics::MetricBatch& batch);

  // Which one answers; nothing before the first note().
  void add_gauges(metrics::MetricBatch& batch) const;

 private:
  using Series = std::pair<const metrics::Descriptor*, std::vector<std::string>>;
  struct Process {
    bool from_its_start = true;  // all that it has counted is ours to count
    double work_done = 0;
    std::set<const metrics::Descriptor*> watched;
    std::map<Series, double> counted;  // as it told last
  };

  News meet(const collectors::ServerFacts& facts);
  double added(Process& process, const Series& series, double counted);

  std::optional<std::uint64_t> session_;
  std::string name_,
      shown_;  // of the process that answers; empty: there is one, or it is not known
  bool shares_address_ = false;
  std::map<std::string, Process> processes_;
  std::map<Series, double> totals_;
};

}  // namespace pgconn::exporter
