// All targets of one configuration, and scrapes across them. Lives on the I/O thread; scrape() is
// what HTTP workers have run there.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/loader.h"
#include "exporter/target.h"
#include "postgres/resolver.h"

namespace pgconn::exporter {

struct ScrapeRequest {
  std::optional<std::string> target;  // absent: all
  std::set<std::string> collectors;   // empty: all that are enabled
  postgres::Deadline deadline;
};

using TargetResults = std::vector<std::shared_ptr<const TargetResult>>;

class Fleet {
 public:
  Fleet(asio::any_io_executor executor, const config::ValidatedConfig& config);
  ~Fleet();

  // Starts the probes of every target. Call once, on the I/O thread.
  void start();

  // Nothing if the request can be served, else what is wrong with its names and which are known.
  // Safe from any thread: reads only what is fixed at construction.
  std::optional<std::string> refuse(const ScrapeRequest& request) const;

  // Collects from all targets of the request at once; returns by the request's deadline. A target
  // that fails is in the results as down.
  asio::awaitable<TargetResults> scrape(ScrapeRequest request);

  // Closes every session; collections under way end at once.
  void stop();

  std::vector<TargetState> states() const;
  std::size_t size() const { return targets_.size(); }

 private:
  asio::any_io_executor executor_;
  postgres::Resolver resolver_;
  std::vector<std::unique_ptr<Target>> targets_;
};

}  // namespace pgconn::exporter
