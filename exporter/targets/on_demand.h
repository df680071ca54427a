// Collections that a request asks for: /probe. Each is one collection of a server that is no
// configured target, with the login of an auth module, after which nothing stays connected. I/O
// thread only.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "async/rate_limiter.h"
#include "config/loader.h"
#include "exporter/targets/assemble.h"
#include "exporter/targets/passwords.h"
#include "exporter/targets/patience.h"
#include "exporter/targets/probed_place.h"
#include "postgres/resolver.h"

namespace pgconn::exporter {

struct ProbeRequest {
  std::string place;                 // HOST[:PORT][/DATABASE]
  std::string module;                // name of an auth module
  std::set<std::string> collectors;  // empty: all that are enabled
  Patience patience;
};

struct ProbeRefusal {
  int status =
      400;  // HTTP's: 400 the request is wrong, 403 not allowed, 404 no module, 429 too many
  std::string reason;
};

struct ProbeAnswer {
  std::optional<ProbeRefusal> refusal;  // then no connection was tried
  TargetResult result;                  // a server that does not answer is `probe_success 0`
};

class OnDemand {
 public:
  // `lookup` resolves names, on threads of its own: a name that hangs delays no configured target.
  explicit OnDemand(asio::any_io_executor executor,
                    postgres::Resolver::Lookup lookup = postgres::Resolver::system_lookup);

  // Makes these the modules. Collections under way go on with those they began with.
  void apply(const config::ValidatedConfig& config);

  // Returns by the deadline of `patience`, or after stop().
  asio::awaitable<ProbeAnswer> ask(ProbeRequest request);

  // Ends collections under way, and all later ones.
  void stop();

 private:
  struct Module {
    Module(const config::AuthModule& module, async::RateLimiter::Clock::time_point now);
    config::AuthModule config;
    async::RateLimiter limiter;
  };
  using Signals = std::list<asio::cancellation_signal>;

  std::optional<ProbeRefusal> refuse(const ProbeRequest& request, const Module* module,
                                     const std::optional<config::Place>& place) const;
  asio::awaitable<std::vector<std::string>> resolve(const std::string& host,
                                                    postgres::Deadline deadline,
                                                    asio::cancellation_slot stop);
  asio::awaitable<ProbeAnswer> connect(const ProbeRequest& request, const Module& module,
                                       const config::Place& place, asio::cancellation_slot stop);

  asio::any_io_executor executor_;
  async::SystemTime time_;
  postgres::Resolver resolver_;
  Passwords passwords_;
  std::map<std::string, std::shared_ptr<Module>, std::less<>> modules_;
  Signals running_;  // stops what is under way
  bool stopped_ = false;
};

// The families of /probe besides those of a configured target, for docs/metrics.md.
std::span<const metrics::Descriptor* const> on_demand_families();

}  // namespace pgconn::exporter
