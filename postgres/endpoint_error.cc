#include "postgres/endpoint_error.h"

#include <optional>

namespace pgconn::postgres {
namespace {

constexpr std::string_view kAttempt = "connection to server ";

// The text between two others; nothing if one of them is missing. Leaves what follows.
std::optional<std::string_view> between(std::string_view& text, std::string_view before,
                                        std::string_view after) {
  if (!text.starts_with(before)) return std::nullopt;
  const std::size_t end = text.find(after, before.size());
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view found = text.substr(before.size(), end - before.size());
  text.remove_prefix(end + after.size());
  return found;
}

// at "db" (10.0.0.1), port 5432 failed: …
// at "10.0.0.1", port 5432 failed: …
// on socket "/run/postgresql/.s.PGSQL.5432" failed: …
std::string endpoint_in(std::string_view attempt) {
  attempt.remove_prefix(kAttempt.size());
  if (const auto path = between(attempt, "on socket \"", "\" failed: ")) return std::string(*path);
  auto address = between(attempt, "at \"", "\"");
  if (!address) return "";
  if (const auto in_numbers = between(attempt, " (", ")")) address = in_numbers;
  const auto port = between(attempt, ", port ", " failed: ");
  return port ? endpoint_name("", *address, *port) : "";
}

// Each attempt begins a line.
std::size_t next_attempt(std::string_view message, std::size_t from) {
  for (std::size_t start = message.find(kAttempt, from); start != std::string_view::npos;
       start = message.find(kAttempt, start + 1)) {
    if (start == 0 || message[start - 1] == '\n') return start;
  }
  return message.size();
}

}  // namespace

std::string endpoint_name(std::string_view host, std::string_view address, std::string_view port) {
  if (host.starts_with('/') && address.empty()) {
    return std::string(host) + "/.s.PGSQL." + std::string(port);
  }
  return std::string(address.empty() ? host : address) + ":" + std::string(port);
}

std::vector<EndpointError> endpoint_errors(std::string_view message) {
  std::vector<EndpointError> errors;
  for (std::size_t start = next_attempt(message, 0); start < message.size();) {
    const std::size_t end = next_attempt(message, start + 1);
    const std::string_view attempt = message.substr(start, end - start);
    std::string endpoint = endpoint_in(attempt);
    if (!endpoint.empty()) {
      errors.push_back({std::move(endpoint), connect_error(attempt, Phase::kTcp)});
    }
    start = end;
  }
  return errors;
}

}  // namespace pgconn::postgres
