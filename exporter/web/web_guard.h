// What the web configuration demands of each request before a page is asked: that it is not one too
// many, and comes from somebody who may. Also the headers of every answer. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/web_config.h"
#include "exporter/web/basic_auth.h"
#include "exporter/web/http_routes.h"
#include "exporter/web/rate_limit.h"

namespace pgconn::exporter {

class WebGuard {
 public:
  using Clock = RateLimiter::Clock;

  // `before`: the one whose place it takes; users that stay the same stay logged in.
  WebGuard(const config::WebConfig& web, Clock::time_point now, WebGuard* before = nullptr);

  // The answer to a request that is not let in: 429, 401 or 503. Every path is protected alike.
  std::optional<Response> refuse(const Request& request, Clock::time_point now);

  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }

 private:
  std::vector<std::pair<std::string, std::string>> headers_;
  RateLimiter limiter_;
  std::optional<BasicAuth> logins_;  // none: nobody has to log in
};

}  // namespace pgconn::exporter
