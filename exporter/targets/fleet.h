// All targets of the configuration, and scrapes across them. I/O thread only: HTTP workers run its
// functions there.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/event.h"
#include "config/loader.h"
#include "exporter/targets/passwords.h"
#include "exporter/targets/patience.h"
#include "exporter/targets/target.h"
#include "postgres/resolver.h"
#include "probes/certificates/files.h"

namespace pgconn::exporter {

struct ScrapeRequest {
  std::optional<std::string> target;  // absent: all
  std::set<std::string> collectors;   // empty: all that are enabled
  Patience patience;
};

using TargetResults = std::vector<std::shared_ptr<const TargetResult>>;

struct Scraped {
  std::optional<std::string> refusal;  // why the request cannot be served; then nothing was asked
  TargetResults results;
};

class Fleet {
 public:
  // `host_paths`: where the file systems of the machine are, for targets with `host: true`.
  explicit Fleet(asio::any_io_executor executor, host::HostPaths host_paths = {});
  ~Fleet();

  // Makes these the targets and starts the probes of the new ones, one target after another: a
  // thousand simultaneous handshakes would take longer than any of them may. A target that did not
  // change keeps its sessions, canaries and counters; one that did, or is gone, closes its
  // sessions, which do not count as lost.
  struct Change {
    int kept = 0, begun = 0, ended = 0;
  };
  Change apply(const config::ValidatedConfig& config);

  // Nothing if the request can be served, else what is wrong with its names, and the known ones.
  std::optional<std::string> refuse(const ScrapeRequest& request) const;

  // Refuses the request as refuse() does, or collects from all its targets at once; returns by the
  // latest of their deadlines. A target that fails is in the results as down; one that was stopped
  // meanwhile is missing.
  asio::awaitable<Scraped> scrape(ScrapeRequest request);

  // Closes every session; collections under way end at once.
  void stop();

  // One of each target. Lets other coroutines run in between: a thousand take a while.
  asio::awaitable<std::vector<TargetSnapshot>> snapshots();

 private:
  void start_next();
  void retire(std::shared_ptr<Target> target);
  asio::awaitable<void> bury_retired();

  asio::any_io_executor executor_;
  async::SystemTime time_;
  postgres::Resolver resolver_;
  Passwords passwords_;
  probes::CertificateRoots roots_;
  Background background_;
  host::HostPaths host_paths_;
  std::vector<std::shared_ptr<Target>> targets_;
  std::deque<std::shared_ptr<Target>> waiting_;  // to be started
  bool starting_ = false;
  asio::steady_timer between_starts_;
  std::vector<std::shared_ptr<Target>> retired_;  // stopped, until their coroutines have ended
};

}  // namespace pgconn::exporter
