// What the web configuration checks before a request reaches a page: the rate limit and the login.
// Also the headers of every answer. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/rate_limiter.h"
#include "config/web_config.h"
#include "exporter/web/basic_auth.h"
#include "exporter/web/http_routes.h"

namespace pgconn::exporter {

class WebGuard {
 public:
  using Clock = async::RateLimiter::Clock;

  // `before`: the one that it replaces; users that stay the same stay logged in.
  WebGuard(const config::WebConfig& web, Clock::time_point now, WebGuard* before = nullptr);

  // The answer to a request that is refused: 429, 401 or 503. Every path is protected.
  std::optional<Response> refuse(const Request& request, Clock::time_point now);

  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }

 private:
  std::vector<std::pair<std::string, std::string>> headers_;
  async::RateLimiter limiter_;
  std::optional<BasicAuth> logins_;  // none: no login is needed
};

}  // namespace pgconn::exporter
