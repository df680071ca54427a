#include "collectors/postgres/server_settings.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "collectors/postgres/setting_units.h"
#include "postgres/rows.h"

namespace pgconn::collectors {
namespace {

constexpr TimeSetting kTimeSettings[] = {
    {"authentication_timeout", "s"},
    {"client_connection_check_interval", "ms"},
    {"deadlock_timeout", "ms"},
    {"idle_in_transaction_session_timeout", "ms"},
    {"idle_session_timeout", "ms"},
    {"lock_timeout", "ms"},
    {"password_expiration_warning_threshold", "s"},
    {"statement_timeout", "ms"},
    {"tcp_keepalives_idle", "s"},
    {"tcp_keepalives_interval", "s"},
    {"tcp_user_timeout", "ms"},
    {"transaction_timeout", "ms"},
    {"wal_sender_shutdown_timeout", "ms"},
    {"wal_sender_timeout", "ms"},
};

constexpr std::string_view kNumberSettings[] = {
    "log_connections",
    "log_disconnections",
    "max_connections",
    "max_prepared_transactions",
    "max_wal_senders",
    "reserved_connections",
    "restart_after_crash",
    "shared_buffers",
    "ssl",
    "ssl_sni",
    "superuser_reserved_connections",
    "tcp_keepalives_count",
    "track_activities",
    "work_mem",
};

// What 0 means: the kernel's own value. We cannot ask the server's kernel; Linux has always had
// these, and they are rarely changed.
constexpr std::pair<std::string_view, double> kKernelDefaults[] = {
    {"tcp_keepalives_idle", 7200}, {"tcp_keepalives_interval", 75}, {"tcp_keepalives_count", 9}};

double with_kernel_default(std::string_view name, double value) {
  if (value != 0) return value;
  for (const auto& [setting, kernel_default] : kKernelDefaults) {
    if (setting == name) return kernel_default;
  }
  return value;
}

// A switch as 0 or 1. From 18 on, log_connections is a list of aspects, or still a switch.
double switched_on(std::string_view value) {
  constexpr std::string_view off[] = {"", "off", "false", "no", "0"};
  return std::ranges::find(off, value) == std::end(off) ? 1 : 0;
}

}  // namespace

std::span<const TimeSetting> time_settings() { return kTimeSettings; }
std::span<const std::string_view> number_settings() { return kNumberSettings; }

ServerSettings::ServerSettings(SettingValues values, std::vector<std::string> pending_restart)
    : settings_(std::move(values)), pending_restart_(std::move(pending_restart)) {
  std::ranges::sort(pending_restart_);
}

std::optional<double> ServerSettings::seconds(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return std::nullopt;
  const auto value = parse_time(found->second.value, found->second.unit);
  if (!value || *value < 0) return std::nullopt;
  return with_kernel_default(name, *value);
}

std::optional<double> ServerSettings::number(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return std::nullopt;
  const auto& [text, unit] = found->second;
  if (!text.empty() && text.find_first_not_of("-0123456789") == std::string::npos) {
    const double scale = unit.empty() ? 1 : bytes_in(unit).value_or(1);
    return with_kernel_default(name, postgres::number(text).value() * scale);
  }
  return switched_on(text);
}

std::optional<std::string_view> ServerSettings::text(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return std::nullopt;
  return found->second.value;
}

}  // namespace pgconn::collectors
