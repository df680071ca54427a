#include "exporter/web/web_guard.h"

namespace pgconn::exporter {
namespace {

Response refusal(int status, std::string body, std::pair<std::string, std::string> header) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers.push_back(std::move(header));
  return response;
}

}  // namespace

WebGuard::WebGuard(const config::WebConfig& web, Clock::time_point now, WebGuard* before)
    : headers_(web.headers), limiter_(web.rate_limit.interval, web.rate_limit.burst, now) {
  // The server sends it anyway, with its only allowed value.
  std::erase_if(headers_,
                [](const auto& header) { return header.first == "X-Content-Type-Options"; });
  if (!web.users.empty()) logins_.emplace(web.users);
  if (logins_ && before != nullptr && before->logins_) logins_->remember_as(*before->logins_);
}

std::optional<Response> WebGuard::refuse(const Request& request, Clock::time_point now) {
  if (!limiter_.take(now)) {
    return refusal(429, "Too many requests; the web configuration's rate_limit is reached.\n",
                   {"Retry-After", "1"});
  }
  if (!logins_) return std::nullopt;
  switch (logins_->check(request.header("authorization"), request.client)) {
    case BasicAuth::Verdict::kRight:
      return std::nullopt;
    case BasicAuth::Verdict::kBusy:
      return refusal(503, "Too many logins are being checked; come back later.\n",
                     {"Retry-After", "1"});
    case BasicAuth::Verdict::kWrong:
      break;
  }
  return refusal(401, "A user of the web configuration's basic_auth_users has to log in.\n",
                 {"WWW-Authenticate", "Basic realm=\"pgconn_exporter\", charset=\"UTF-8\""});
}

}  // namespace pgconn::exporter
