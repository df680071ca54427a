// The server's own values of the settings this program knows, not those of our session. Unknown
// values are not guessed. Values; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgconn::collectors {

// Settings that are times, with the unit the server gives a plain number.
struct TimeSetting {
  std::string_view name;
  std::string_view unit;
};
std::span<const TimeSetting> time_settings();

// Other settings that are numbers, switches or sizes.
std::span<const std::string_view> number_settings();

// As in pg_settings: the value as the server writes it, and the unit of a plain number.
struct SettingValue {
  std::string value;
  std::string unit;
};
using SettingValues = std::map<std::string, SettingValue, std::less<>>;

class ServerSettings {
 public:
  // Nothing is known.
  ServerSettings() = default;
  // A setting that is not among the values is not known.
  explicit ServerSettings(SettingValues values, std::vector<std::string> pending_restart = {});

  // A time in seconds. Where the server leaves it to its kernel (tcp_keepalives_*), Linux's
  // default. nullopt: the server has no such setting, we may not see it, its value is masked, or it
  // is -1, for no limit.
  std::optional<double> seconds(std::string_view name) const;

  // A number: sizes in bytes, switches as 0 or 1; log_connections is 1 if it logs any aspect.
  // nullopt as above.
  std::optional<double> number(std::string_view name) const;

  // As the server writes it. nullopt as above.
  std::optional<std::string_view> text(std::string_view name) const;

  // Settings whose new value waits for a restart of the server, by name.
  const std::vector<std::string>& pending_restart() const { return pending_restart_; }

 private:
  SettingValues settings_;
  std::vector<std::string> pending_restart_;
};

}  // namespace pgconn::collectors
